"""`freshrec topology`: the picture, from the data that everything runs by."""

import click

from streams import drawing


@click.command()
@click.option("--mermaid", is_flag=True, help="A Mermaid flowchart instead of text.")
@click.option("--document", is_flag=True, help="The whole of docs/topology.md.")
def topology(mermaid: bool, document: bool) -> None:
    """Draw stages and topics."""
    if document:
        click.echo(drawing.document(), nl=False)
    else:
        click.echo(drawing.as_mermaid() if mermaid else drawing.as_text())
