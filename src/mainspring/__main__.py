"""``python -m mainspring``: the command line."""

import sys

from mainspring.cli import main

sys.exit(main())
