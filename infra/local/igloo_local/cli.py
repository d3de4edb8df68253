"""The commands of the local stack: `python -m igloo_local run`, and what helps while it runs."""

import argparse
import sys
from collections.abc import Sequence

from igloo_local import commands
from igloo_local.console import print_failure
from igloo_local.errors import StackError
from igloo_local.settings import ConfigurationError, LocalSettings

EX_CONFIG = 78  # sysexits.h, as the services themselves answer bad configuration


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the return value is the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(LocalSettings.load(), options)
    except ConfigurationError as error:
        for problem in error.problems:
            print(f"igloo: {problem}", file=sys.stderr)
        return EX_CONFIG
    except StackError as error:
        print_failure(error)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m igloo_local", description=__doc__)
    names = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in commands.COMMANDS.items():
        one = names.add_parser(name, help=command.help, description=command.help)
        for argument, options in command.arguments.items():
            one.add_argument(argument, **options)
        one.set_defaults(command=command.run)
    return parser
