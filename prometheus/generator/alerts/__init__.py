"""The alerts, one file a topic, in the order of a request's path.

A page is for what callers feel now or what nobody else would see; all else is a ticket. Each
alert has its runbook in docs/runbooks, and each limit is in thresholds.yml or slo.yml. An alert
also says which others cause it and in which faults it must or may fire: what is silenced, what
the simulator reports and what the drills expect follow from that (generator/derived.py).
"""
