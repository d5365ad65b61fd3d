"""The subcommands, one file each: `python -m stack up|stop|status|traces|clean`."""
