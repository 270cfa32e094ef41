"""The command line's start."""

import gc


def main() -> None:
    """``control-plane``. Nothing that is imported is ever garbage: not to look for any
    meanwhile saves a sixth of the start."""
    gc.disable()
    from control_plane.commands.main import main as command_line

    gc.freeze()
    gc.enable()
    command_line()


if __name__ == "__main__":
    main()
