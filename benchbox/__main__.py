"""``python -m benchbox`` is the command ``benchbox``."""

from benchbox.cli.main import main

if __name__ == "__main__":
    main()
