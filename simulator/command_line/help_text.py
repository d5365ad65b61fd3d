"""The prose of `--help`."""

from __future__ import annotations

from typing import Final

from simulator.run.label_sender import MAX_WAITING
from simulator.traffic.scenarios import describe_scenarios

DESCRIPTION: Final = """\
An open-loop load generator for a scoring service: sends transactions as its customers would, and
summarises the answers.

What is sent follows from the target's own GET /model_info: its features, their ranges and their
distribution in training. Customers are premium, standard and basic where the model knows them.
A share of the requests is faulty (invalid), of several kinds, each to be refused with its status.

For the default model transactions come from the documented process of its data. For any other model
each feature is drawn independently: single features are as in training, combinations of them are
not. So scores are not those of training: many times as many predicted frauds, or few, and alerts on
scores may fire in steady traffic. --replay sends rows of a file, whose features belong together.

--labels-after sends delayed labels (feedback): the true class of each prediction, by
POST /feedback. For the default model it follows from the documented process, so live figures are
those of the holdout. For any other model the true class is not known here: it is drawn with the
fraud_probability that the model itself answered, so the model is calibrated by construction and its
live quality says nothing about it. Real labels come with --replay.

Without options: one request every 1 to 5 seconds, until Ctrl-C.
"""

_EPILOG: Final = """\
The same seed and the same model give the same requests at the same times, byte by byte. Requests
never wait for answers (open loop): a slow target does not slow them, and latency counts from when a
request was due. No transaction is sent twice. One that is due while --max-in-flight are in flight,
or that this machine is too busy to send within a second, is counted as not sent.

scenarios, and the alerts that belong to them:
{scenarios}
Each begins --scenario-after the start and lasts --scenario-for; before and afterwards it is steady.
slow and errors need a service with fault injection (FAULT_HEADERS=on), never one with a public
address; where it injects none, the summary says so and the exit code is 3.

At the end of the run labels that fall due within --labels-wait are waited for; the others are sent
at once, earlier than they were due, and counted as early. At most {max_waiting:,} labels wait;
further ones are not sent, and counted. Labels that were not delivered are sent again.

A replay is read once before anything is sent; a cell that cannot be used stops it with a sentence.
An empty cell is sent as null, and a row without a true class gets no label. Rows that the service
refuses count as unexpected.

environment:
  SIMULATOR_TARGET   the address of the target where --url is not given
  ACCESS_TOKEN       sent as bearer token where it is not empty
  HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY
                     the proxy for http or https targets, and what it is not for. Loopback, private
                     addresses, names without a dot and names under .local, .localhost, .internal,
                     .lan, .home.arpa and .svc are never reached through a proxy.

exit codes:
  0  the target was reached and answered as expected (also when ended by Ctrl-C or SIGTERM)
  1  the target was never reached, or is no scoring service
  2  wrong usage
  3  more than --max-failed of the requests got no answer or an unexpected status, of the labels
     were not counted, or of the requested faults were not injected

examples:
  python -m simulator                                        watch it for a while
  python -m simulator --rate 50 --duration 60 --seed 7       a minute of known traffic
  python -m simulator --count 60 --duration 240 --json       one round of a schedule
  python -m simulator --rate 20 --labels-after 60 --scenario concept --scenario-after 600
  python -m simulator --replay day2.csv --target Class --time Time --speed 60 --labels-after 60
"""


def format_epilog() -> str:
    """What follows the options, with the scenarios and their alerts."""
    return _EPILOG.format(scenarios=describe_scenarios(), max_waiting=MAX_WAITING)
