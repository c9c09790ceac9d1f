"""A form of a page as a browser without JavaScript sends it: every field with the value that stands there."""

from html.parser import HTMLParser


class PageForm(HTMLParser):
    """The fields of the form of a page that goes to an address, by name; `buttons` are its values of `do`."""

    def __init__(self, page: str, action: str) -> None:
        super().__init__(convert_charrefs=True)
        self.action = action
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.choices: dict[str, list[str]] = {}
        self._inside = False
        self._select: str | None = None
        self._area: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes a field."""
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = said.get("action") == self.action and said.get("method") == "post"
        if not self._inside:
            return
        name = said.get("name", "")
        if tag == "input" and name and (said.get("type") not in ("checkbox", "radio") or "checked" in said):
            self.fields[name] = said.get("value", "")
        elif tag == "select":
            self._select = name
            self.choices[name] = []
            self.fields.setdefault(name, "")
        elif tag == "option" and self._select is not None:
            self.choices[self._select].append(said.get("value", ""))
            if "selected" in said:
                self.fields[self._select] = said.get("value", "")
        elif tag == "textarea":
            self._area = name
            self.fields[name] = ""
        elif tag == "button" and name == "do":
            self.buttons.append(said.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        """Ends one."""
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        """The text of a field of several lines."""
        if self._area is not None:
            self.fields[self._area] += data
