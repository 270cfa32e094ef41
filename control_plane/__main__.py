"""The command line's start."""

from control_plane.commands.main import main

if __name__ == "__main__":
    main()
