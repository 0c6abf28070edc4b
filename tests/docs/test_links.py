"""Links between the Markdown pages lead to files and headings that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for folder in (".", "docs", "benchmarks") for path in (ROOT / folder).glob("*.md"))


def prose(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def headings(page: Path) -> set[str]:
    """Names of a page's headings in links, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def is_broken(page: Path, link: str) -> bool:
    name, _, heading = link.partition("#")
    target = page.parent / name if name else page
    return not target.exists() or (heading != "" and target.suffix == ".md" and heading not in headings(target))


def test_every_link_leads_somewhere():
    links = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if ":" not in link]
    assert len(links) > 100
    assert [f"{page.name}: {link}" for page, link in links if is_broken(page, link)] == []


def test_a_wrong_link_is_seen(tmp_path):
    page = tmp_path / "a.md"
    page.write_text("# Words in common · `Any`\n", encoding="utf-8")
    assert not is_broken(page, "#words-in-common--any")
    assert is_broken(page, "#words")
    assert is_broken(page, "b.md")
