"""What can be said on the command line and in the environment, and the words of --help."""
