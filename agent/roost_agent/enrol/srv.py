"""Asks DNS where the centre is: ``_roost-enrol._tcp.<domain>`` SRV (RFC 2782).

It says a place and nothing else: whoever answers there has to show the root that a pin, or a human,
knows. Bounded in time, in domains and in targets; nothing of the answer is used as a name but to
dial it.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from dns.rdtypes.IN.SRV import SRV

from roost_agent.enrol.centre import Address
from roost_agent.enrol.invitation import Look, Source
from roost_agent.errors import AgentError

SERVICE: Final = "_roost-enrol._tcp"
LOOKUP_S: Final = 5.0  # of one domain, all servers and attempts together
DOMAINS_MAX: Final = 3  # of a search list
TARGETS_MAX: Final = 8
FRESH_MS: Final = 60_000  # how long an answer counts, good or bad
DNS_PORT: Final = 53

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Srv:
    """The DNS of this box.

    Args:
        domain: the one to ask for; empty: the box's own, and its search list.
        resolvers: ``ADDRESS`` and port of servers; empty: those of /etc/resolv.conf.
    """

    domain: str = ""
    resolvers: Sequence[tuple[str, int]] = ()
    _kept: list[Look] = field(default_factory=list)
    _kept_ms: int | None = None

    def looks(self, now_ms: int) -> list[Look]:
        """Return a look for each domain; an answer is kept for FRESH_MS."""
        if self._kept_ms is None or now_ms - self._kept_ms >= FRESH_MS:
            found = self._asked()
            if [_unordered(look) for look in found] != [_unordered(look) for look in self._kept]:
                self._kept = found  # the same records in another order of chance are no news
            self._kept_ms = now_ms
        return self._kept

    def _asked(self) -> list[Look]:
        try:
            resolver = self._resolver()
        except (dns.exception.DNSException, ValueError, OSError) as err:
            return [Look(Source.DNS, f"DNS {SERVICE}", f"not asked: {err}")]
        domains = list(self._domains(resolver))
        if not domains:
            said = "not asked: this box has no domain; write [join] domain"
            return [Look(Source.DNS, f"DNS {SERVICE}", said)]
        return [_answer(resolver, domain) for domain in domains]

    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=not self.resolvers)
        if self.resolvers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(host, port) for host, port in self.resolvers
            ]
        return resolver

    def _domains(self, resolver: dns.resolver.Resolver) -> Iterator[dns.name.Name]:
        if self.domain:
            yield dns.name.from_text(self.domain)
            return
        own = [*resolver.search, resolver.domain]
        seen = dict.fromkeys(each for each in own if each not in {dns.name.root, dns.name.empty})
        yield from list(seen)[:DOMAINS_MAX]


def _answer(resolver: dns.resolver.Resolver, domain: dns.name.Name) -> Look:
    name = dns.name.from_text(SERVICE, origin=domain)
    where = f"DNS {name.to_text(omit_final_dot=True)}"
    try:
        answer = resolver.resolve(name, "SRV", lifetime=LOOKUP_S)
        found = answer.rrset.processing_order() if answer.rrset is not None else []
        records = [each for each in found if isinstance(each, SRV)]
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Look(Source.DNS, where, "no such record")
    except dns.exception.Timeout:
        return Look(Source.DNS, where, f"no answer within {LOOKUP_S:g} s")
    except (dns.exception.DNSException, OSError, ValueError) as err:
        return Look(Source.DNS, where, f"no answer: {str(err)[:200]}")
    urls = tuple(url for each in records[:TARGETS_MAX] if (url := _url(each)))
    return Look(Source.DNS, where, ", ".join(urls) or "says that there is none", urls=urls)


def _url(record: SRV) -> str:
    """Return the address that a record names; empty for none (RFC 2782: the target is a dot)."""
    if record.target == dns.name.root:
        return ""
    url = f"https://{record.target.to_text(omit_final_dot=True).lower()}:{record.port}"
    try:
        Address.parse(url)
    except AgentError:
        logger.warning("DNS names a target that is no host: %.200r", url)
        return ""
    return url


def _unordered(look: Look) -> tuple[str, frozenset[str]]:
    return look.where, frozenset(look.urls) or frozenset({look.found})
