"""`python -m igloo_local`."""

import sys

from igloo_local.cli import main

if __name__ == "__main__":
    sys.exit(main())
