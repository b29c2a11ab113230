"""Host services that must not be stopped by accident, grouped by what is lost with them. A table only."""

from __future__ import annotations

from fnmatch import fnmatchcase

SESSIONS = "user sessions run in it: they end with everything started in them"
"""The reason that protects a service, but no single process in it."""
_GROUPS: tuple[tuple[str, str], ...] = (
    (
        "it is one of the services that run this host's workloads",
        "docker containerd podman crio cri-o kubelet k3s k3s-agent k0s* rke2-server rke2-agent snap.docker.dockerd "
        "snap.microk8s.* docker-desktop libvirtd libvirt-guests virt*d lxc lxcfs lxd snap.lxd.daemon snap.lxd.activate "
        "incus incusd snap.incus.* systemd-machined multipassd snap.multipass.multipassd vmware vmware-* vboxdrv "
        "vboxautostart-service pve-cluster pvedaemon pve-guests qmeventd",
    ),
    (
        "this host and its other services depend on it",
        "dbus dbus-broker systemd-journald systemd-udevd",
    ),
    (
        "it provides remote access: without it you may not get back in",
        "ssh ssh@* sshd sshd@* sshd-unix-local@* sshd-vsock@* dropbear dropbear@* tailscaled wg-quick@* "
        "openvpn openvpn@* openvpn-client@* openvpn-server@* "
        "strongswan strongswan-starter strongswan-swanctl ipsec zerotier-one netbird nebula nebula@* "
        "cloudflared teleport cockpit cockpit-* xrdp xrdp-sesman vncserver@* ttyd shellinabox",
    ),
    (
        "the host's network depends on it: without it you may not get back in",
        "NetworkManager systemd-networkd systemd-resolved networking network netplan-* ifup@* dhcpcd dhcpcd@* "
        "dhclient dhclient@* connman iwd wpa_supplicant wpa_supplicant@* wpa_supplicant-* wicked wickedd wickedd-* "
        "ModemManager openvswitch openvswitch-switch ovs-vswitchd ovsdb-server",
    ),
    (
        "it decides who may log in or become another user",
        "polkit polkitd sssd sssd-* nslcd nscd winbind systemd-homed systemd-userdbd systemd-logind elogind oddjobd",
    ),
    (
        SESSIONS,
        "user@* user-runtime-dir@* getty@* autovt@* serial-getty@* container-getty@* console-getty "
        "display-manager gdm gdm3 sddm lightdm lxdm xdm greetd",
    ),
)
"""The reason, and unit names without `.service`; `*` matches anything, such as the instance of a template."""


def why_essential(unit: str) -> str:
    """Return why a unit is essential, by its name; empty when it is not."""
    name = unit.removesuffix(".service")
    if unit == "init.scope":
        return "all services of this host run below it"
    return next(
        (why for why, patterns in _GROUPS if any(fnmatchcase(name, pattern) for pattern in patterns.split())), ""
    )
