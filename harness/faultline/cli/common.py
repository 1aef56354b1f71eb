"""What all verbs share: options that name what exists, one line on errors, exit statuses 0, 1 and 2."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

import click

from faultline.errors import FaultlineError


class Verb(click.Command):
    """A command whose mistakes are one line: the option that is not known, and those that are."""

    def main(self, args=None, prog_name=None, **extra):
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupted)  # so that children end and the terminal is put back
        try:
            with self.make_context(prog_name or self.name, list(sys.argv[1:] if args is None else args)) as context:
                sys.exit(self.invoke(context) or 0)
        except click.exceptions.Exit as done:
            sys.exit(done.exit_code)
        except click.NoSuchOption as error:
            fail(f"unknown option '{error.option_name}' (there are: {' '.join(self._options())})", self.name)
        except click.ClickException as error:
            fail(error.format_message(), self.name)
        except FaultlineError as error:
            fail(str(error), self.name)
        except OSError as error:
            fail(f"{error.strerror}: {error.filename}" if error.filename else str(error), self.name)
        except (KeyboardInterrupt, click.Abort):
            print(f"{self.name}: interrupted", file=sys.stderr)
            sys.exit(130)

    def _options(self) -> list[str]:
        return [name for parameter in self.params for name in parameter.opts if name.startswith("--")] + ["--help"]


def _interrupted(number, frame) -> None:
    raise KeyboardInterrupt


def fail(message: str, name: str | None) -> None:
    """Says why it cannot be done and exits with 2."""
    print(f"{name}: {message}" if name else message, file=sys.stderr)
    sys.exit(2)


def verb(name: str, **settings) -> Callable:
    """Decorator: a function becomes the verb scripts/NAME. It returns the exit status, None for 0."""
    return click.command(name=name, cls=Verb, context_settings={"help_option_names": ["-h", "--help"], **settings})
