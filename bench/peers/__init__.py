"""What a user would pick instead of this project, as small as its makers' guides show it.

Each runs in an environment of its own (requirements/peers.txt) and imports nothing of this project.
"""
