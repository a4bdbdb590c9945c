"""The `boroughlink` command. Heavy rooms are imported only by the command that needs them."""

import os
import resource
import sys

import click

from boroughlink import custody, linkage, quality, releases, runs, sources
from boroughlink.options import named
from pipelines.faults import BoroughlinkError, Refusal
from pipelines.stopping import STOPPED


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="boroughlink")
@click.option(
    "--debug", is_flag=True, help="Show where a fault happened. Only for invented data: texts may quote values."
)
def cli(debug: bool) -> None:
    """From landed extracts to a linked borough: people, households and homes across systems that don't know
    each other."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash must not write keys and people to a disk
    if debug:
        os.environ["BOROUGHLINK_DEBUG"] = "1"


for command in (
    *(runs.demo, runs.synth, runs.run, runs.dev, runs.serve, runs.status, runs.doctor),
    *(sources.sources, sources.retention, quality.quality),
    *(linkage.diff, linkage.explain, linkage.resolve, linkage.evaluate, linkage.train, linkage.models),
    *(linkage.export, linkage.decisions),
    *(releases.purposes, releases.release, releases.query, releases.catalogue, releases.opt_out),
    *(custody.audit, custody.keys, custody.requests, custody.reid, custody.disclose, custody.erase, custody.scan),
):
    cli.add_command(command)


def main() -> None:
    """Entry point: one sentence for a fault that a person can mend; exit 1, or 2 for wrong use."""
    try:
        cli(standalone_mode=False, prog_name="boroughlink")
    except click.ClickException as fault:
        fault.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo(STOPPED, err=True)
        sys.exit(1)
    except BoroughlinkError as fault:
        if isinstance(fault, Refusal):
            from pipelines.custody.auditing import enter_refusal

            enter_refusal(named(), fault)
        if os.environ.get("BOROUGHLINK_DEBUG"):
            raise
        click.echo(f"boroughlink: {fault}", err=True)
        sys.exit(1)
    except OSError as fault:
        if os.environ.get("BOROUGHLINK_DEBUG"):
            raise
        where = f": {fault.filename}" if isinstance(fault.filename, str) else ""
        click.echo(f"boroughlink: {os.strerror(fault.errno or 0)}{where}. The last good state stays.", err=True)
        sys.exit(1)
    except Exception as fault:
        if os.environ.get("BOROUGHLINK_DEBUG"):
            raise
        said = f"{type(fault).__name__}, which nobody foresaw. The last good state stays."
        if type(fault).__name__ == "OperationalError":
            said = "The store refused: disk full or read-only, or another program holds it. The last good state stays."
        if type(fault).__name__ in ("BinderException", "CatalogException"):
            said += " What an older version published can lack a column: `boroughlink run --force` makes it anew."
        click.echo(f"boroughlink: {said} `boroughlink --debug ...` on invented data shows where.", err=True)
        sys.exit(1)
