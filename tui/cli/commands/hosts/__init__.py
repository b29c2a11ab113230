"""Commands on other hosts, and what another vmtop asks of this one."""
