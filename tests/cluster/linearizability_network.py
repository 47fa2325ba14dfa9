"""A network of namespaces on this machine, whose links can be cut in one direction.

Every metaserver has a namespace of its own; all other processes share one, the hub, where a bridge
joins them. The machine's own network is not touched. Needs root, iproute2 and nftables.

  with Network(3) as network:
      network.cut(1, 2)      # what 1 sends does not reach 2; the other way it does
      network.unplug(3)      # no packet reaches or leaves 3
      network.heal()
"""

import contextlib
import os

from harness import run

HUB = "hub"


class Network:
    hub_address = "10.77.0.100"

    def __init__(self, metaservers):
        self.numbers = list(range(1, metaservers + 1))
        self.prefix = f"cairn{os.getpid()}-"

    def address(self, number):
        return f"10.77.0.{number}"

    def namespace(self, name):
        return self.prefix + str(name)

    def enter(self, name):
        """The words that run a command there. Only the network changes: mounts are seen by all."""
        return ["nsenter", f"--net=/run/netns/{self.namespace(name)}"]

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_):
        self._remove()

    def _make(self):
        self._add_namespace(HUB)
        self._ip(HUB, "link", "add", "bridge", "type", "bridge")
        self._ip(HUB, "addr", "add", f"{self.hub_address}/24", "dev", "bridge")
        self._ip(HUB, "link", "set", "bridge", "up")
        for number in self.numbers:
            self._add_member(number)

    def _add_namespace(self, name):
        run("ip", "netns", "add", self.namespace(name))
        self._ip(name, "link", "set", "lo", "up")

    def _add_member(self, number):
        name, plug = f"meta{number}", f"plug{number}"
        self._add_namespace(name)
        self._ip(HUB, "link", "add", plug, "type", "veth", "peer", "name", "eth0",
                 "netns", self.namespace(name))
        self._ip(HUB, "link", "set", plug, "master", "bridge", "up")
        self._ip(name, "addr", "add", f"{self.address(number)}/24", "dev", "eth0")
        self._ip(name, "link", "set", "eth0", "up")
        self._nft(name, "add table inet cairn")
        self._nft(name, "add chain inet cairn arriving { type filter hook input priority 0; }")

    def _remove(self):
        for name in [f"meta{number}" for number in self.numbers] + [HUB]:
            with contextlib.suppress(AssertionError):
                run("ip", "netns", "del", self.namespace(name))

    def _ip(self, name, *words):
        run("ip", "-n", self.namespace(name), *words)

    def _nft(self, name, rule):
        run(*self.enter(name), "nft", rule)

    def cut(self, source, target):
        """Packets are lost on arrival, as on a bad cable: the sender is told nothing."""
        self._nft(f"meta{target}",
                  f"add rule inet cairn arriving ip saddr {self.address(source)} drop")

    def isolate(self, number):
        """From the other metaservers; clients still reach it."""
        for other in self.others(number):
            self.cut(number, other)
            self.cut(other, number)

    def mute(self, number):
        """The other metaservers do not hear it; it hears them."""
        for other in self.others(number):
            self.cut(number, other)

    def deafen(self, number):
        """It does not hear the other metaservers; they hear it."""
        for other in self.others(number):
            self.cut(other, number)

    def unplug(self, number):
        self._ip(HUB, "link", "set", f"plug{number}", "down")

    def others(self, number):
        return [other for other in self.numbers if other != number]

    def heal(self):
        for number in self.numbers:
            self._nft(f"meta{number}", "flush chain inet cairn arriving")
            self._ip(HUB, "link", "set", f"plug{number}", "up")
