"""What Grafana Cloud asks for a month, from active series and samples a minute.

It bills the larger of the active series and of the samples beyond one a minute, of each the 95th
percentile over the month (https://grafana.com/docs/grafana-cloud/cost-management-and-billing/).
The rest is the price list, which changes: every part of it can be given.
"""

from __future__ import annotations

from dataclasses import dataclass

PRICES_READ = "2026-08-25"
"""The latest day for which the prices below are known."""


@dataclass(frozen=True)
class Prices:
    """US dollars a month of the plan Pro: the fee, the series in it, and 1,000 series beyond them.

    Defaults: https://grafana.com/pricing as four public repositories quote it between 2026-05-25
    and PRICES_READ. Discounts for volume are not published, so what is computed is the most.
    """

    fee: float = 19.0
    included: int = 10_000
    thousand: float = 6.5
    samples_a_minute: float = 1.0
    """Of each series, that its price includes."""

    def billed(self, series: float, samples_a_minute: float) -> float:
        """What is billed, in series."""
        return max(series, samples_a_minute / self.samples_a_minute)

    def month(self, series: float, samples_a_minute: float) -> float:
        """Dollars; 0 where the free plan is enough, which has as many series as Pro includes."""
        beyond = self.billed(series, samples_a_minute) - self.included
        return self.fee + beyond / 1000 * self.thousand if beyond > 0 else 0.0


def month_of(prices: Prices, pushed: float, recorded: float, interval: float) -> float:
    """Dollars for pushed series with a push each `interval` seconds, and for what the rules record
    of them, at most once a minute."""
    return prices.month(pushed + recorded, pushed * 60 / interval + recorded)
