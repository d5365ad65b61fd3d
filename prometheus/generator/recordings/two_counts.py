"""Whether a count among some rows is more than another count among other rows explains.

The exact test of two counts: given both together, the first is binomial with the first rows' share
of all rows (J. Przyborowski and H. Wilenski, 1940). Its tail is that of an F distribution, which
E. Paulson (Annals of Mathematical Statistics 13, 1942) makes a normal deviate by cube roots, as
Wilson and Hilferty do for chi-squared. With reference count M among m rows and k among n,

    a = 1 / 9k    b = 1 / 9(M + 1)    f = (n / m) (M + 1) / k
    z = ((1 - a) - (1 - b) f^(1/3)) / sqrt(a + b f^(2/3))

At five standard deviations and between 0.1 and 10,000 expected it asks for as many as the exact
test, or for up to half a percent (of few: one) more. The normal approximation asks for too few:
where 0.2 are expected for three, and six are right.

With M without end the expectation E is known: b = 0 and f = E / k, Wilson and Hilferty's own case.
A count whose variance is V instead of E is tested as k E / V where E^2 / V are expected, which have
the right ratio of mean and variance.

A sum of probabilities is a count here, too: of all numbers between 0 and 1 with the same mean those
that are 0 or 1 vary most, so chance gives less than the test allows for.
"""

from __future__ import annotations


def excess_deviation(count: str, rows: str, reference: str, reference_rows: str) -> str:
    """Standard deviations by which the count is more than the reference's rate explains.

    Negative where it is less; nothing where it is 0. By how much it is less: exchange both pairs.
    """
    own, other = f"(1 / 9 / ({count} > 0))", f"(1 / 9 / ({reference} + 1))"
    ratio = f"({rows} / {reference_rows} * ({reference} + 1) / ({count} > 0))"
    return f"""
    (
      (1 - {own})
      - (1 - {other})
        * {ratio} ^ (1 / 3)
    ) / sqrt(
      {own}
      + {other}
        * {ratio} ^ (2 / 3)
    )
    """


def excess_over_expected(count: str, expected: str, variance: str) -> str:
    """Standard deviations by which the count is more than is expected; nothing where it is 0."""
    own, ratio = f"(1 / 9 / ({count} * {expected} / {variance} > 0))", f"({expected} / {count})"
    return f"(1 - {own} - {ratio} ^ (1 / 3)) / sqrt({own})"


def shortfall_of_expected(count: str, expected: str, variance: str) -> str:
    """Standard deviations by which the count is less than is expected."""
    next_up = f"({count} * {expected} / {variance} + 1)"
    own, ratio = f"(1 / 9 / {next_up})", f"({expected} ^ 2 / {variance} / {next_up})"
    return f"({ratio} ^ (1 / 3) - 1 + {own}) / sqrt({own})"
