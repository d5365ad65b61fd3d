"""The last kept traces, without a Tempo: read from the Collector's file, shown in the terminal."""
