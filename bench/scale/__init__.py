"""Drills beyond one machine: a store of three nodes, and a cluster that grows and shrinks."""
