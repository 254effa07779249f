"""In: a workspace and what its environment says. Out: findings, each with what to do about it."""

from flows.cli.checkup.campaigns import campaigns
from flows.cli.checkup.finding import Finding
from flows.cli.checkup.hosts import hosts
from flows.cli.checkup.keeping import keeping
from flows.cli.checkup.machine import machine
from flows.cli.checkup.prefect_server import prefect

__all__ = ["Finding", "campaigns", "hosts", "keeping", "machine", "prefect"]
