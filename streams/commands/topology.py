"""`freshrec topology`: the picture, from the data that everything runs by."""

import click
import msgspec

from streams import drawing


@click.command()
@click.option("--mermaid", "form", flag_value="mermaid", help="Print a Mermaid flowchart.")
@click.option("--json", "form", flag_value="json", help="Print topics and stages as one JSON object.")
@click.option("--document", "form", flag_value="document", help="Print docs/topology.md.")
def topology(form: str | None) -> None:
    """Draw topics and stages, from the storefront's events down to what comes out."""
    if form == "json":
        click.echo(msgspec.json.encode(drawing.as_data()).decode())
    elif form == "mermaid":
        click.echo(drawing.as_mermaid())
    elif form == "document":
        click.echo(drawing.document(), nl=False)
    else:
        click.echo(drawing.as_text())
