"""Services of the host that no slip may end, by what is lost with them. A table, and nothing else."""

from __future__ import annotations

from fnmatch import fnmatchcase

_GROUPS: tuple[tuple[str, str], ...] = (
    (
        "it is one of the services that run this host's workloads",
        "docker containerd podman crio cri-o kubelet k3s k3s-agent rke2-server rke2-agent snap.docker.dockerd "
        "snap.microk8s.* libvirtd libvirt-guests virt*d lxc lxcfs lxd snap.lxd.daemon incus systemd-machined",
    ),
    (
        "this host and its other services hang on it",
        "dbus dbus-broker systemd-journald systemd-udevd",
    ),
    (
        "people come in from afar through it: without it you may not get back in",
        "ssh ssh@* sshd sshd@* sshd-unix-local@* sshd-vsock@* dropbear dropbear@* tailscaled wg-quick@* "
        "openvpn openvpn@* openvpn-client@* openvpn-server@* "
        "strongswan strongswan-starter strongswan-swanctl ipsec zerotier-one netbird nebula nebula@* "
        "cloudflared teleport cockpit cockpit-* xrdp xrdp-sesman vncserver@* ttyd shellinabox",
    ),
    (
        "the host's network hangs on it: without it you may not get back in",
        "NetworkManager systemd-networkd systemd-resolved networking network netplan-* ifup@* dhcpcd dhcpcd@* "
        "dhclient dhclient@* connman iwd wpa_supplicant wpa_supplicant@* wpa_supplicant-* wicked wickedd wickedd-* "
        "ModemManager openvswitch openvswitch-switch ovs-vswitchd ovsdb-server",
    ),
    (
        "it decides who may log in, or become another user",
        "polkit polkitd sssd sssd-* nslcd nscd winbind systemd-homed systemd-userdbd systemd-logind elogind oddjobd",
    ),
    (
        "people's sessions run in it: they end with all that was started in them",
        "user@* user-runtime-dir@* getty@* autovt@* serial-getty@* container-getty@* console-getty "
        "display-manager gdm gdm3 sddm lightdm lxdm xdm greetd",
    ),
)
"""Sentence, and names of units without their ending; a `*` stands for anything, as for the instance of a template."""


def why_essential(unit: str) -> str:
    """Return why a unit must not fall to a slip, by its name; empty for any other."""
    name = unit.removesuffix(".service")
    if unit == "init.scope":
        return "all of this host's services run below it"
    return next((why for why, names in _GROUPS if any(fnmatchcase(name, one) for one in names.split())), "")
