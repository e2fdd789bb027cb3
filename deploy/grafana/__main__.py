"""`python -m deploy.grafana`: write deploy/grafana/dashboards."""

import json
from pathlib import Path

from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import Board, dashboard

FOLDER = Path(__file__).parent / "dashboards"


def text(board: Board) -> str:
    """The file of a dashboard."""
    return json.dumps(dashboard(board), indent=1) + "\n"


def main() -> None:
    """Write every dashboard."""
    FOLDER.mkdir(exist_ok=True)
    for board in BOARDS:
        (FOLDER / f"{board.name}.json").write_text(text(board))


if __name__ == "__main__":
    main()
