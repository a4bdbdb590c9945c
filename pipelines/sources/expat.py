"""XML as intake trusts it: read in pieces, without a document type, so that nothing in it can expand or call out."""

from collections.abc import Callable, Iterable
from xml.parsers import expat

from pipelines.sources.file_faults import FileRefused

_CUT_OFF = {
    expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
    expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
}
_ENCODINGS = {"utf-8": {"utf-8", "us-ascii", "ascii"}, "latin-1": {"iso-8859-1", "latin-1", "us-ascii", "ascii"}}

Handlers = tuple[Callable[[str, dict[str, str]], None], Callable[[str], None], Callable[[str], None]]


class XmlReader:
    """One pass over an XML document; `refused` says where it stands.

    Names reach the handlers without their namespace prefix. Raises FileRefused, with line and column, for a document
    type or entity, for what is no well-formed XML, and where the document ends too early.
    """

    def __init__(self, name: str, encoding: str, handlers: Handlers) -> None:
        self.name, self.encoding = name, encoding
        start, end, self._text = handlers
        self._parser = expat.ParserCreate("iso-8859-1" if encoding == "latin-1" else "utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = lambda tag, given: start(_local(tag), given)
        self._parser.EndElementHandler = lambda tag: end(_local(tag))
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.XmlDeclHandler = self._hold_to_encoding

    @property
    def line(self) -> int:
        return self._parser.CurrentLineNumber

    def read(self, chunks: Iterable[bytes]) -> None:
        """Read the whole document."""
        self.feed(chunks)

    def feed(self, chunks: Iterable[bytes], last: bool = True) -> None:
        """Read on; with `last` the document must be whole."""
        try:
            for chunk in chunks:
                self._parser.Parse(chunk, False)
            if last:
                self._parser.Parse(b"", True)
        except expat.ExpatError as fault:
            if fault.code in _CUT_OFF:
                said = f"ends before its XML does, at column {fault.offset + 1}: it is cut off; ask for it again"
            else:
                said = f"is not well-formed XML at column {fault.offset + 1}: {expat.ErrorString(fault.code)}"
            raise FileRefused(self.name, said, line=fault.lineno) from None

    def refused(self, problem: str) -> FileRefused:
        column = self._parser.CurrentColumnNumber + 1
        return FileRefused(self.name, f"at column {column}: {problem}", line=self.line)

    def _refuse_doctype(self, *given: object) -> None:
        raise self.refused("declares a document type (DTD), which could hide entities; export it without one")

    def _hold_to_encoding(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding and encoding.lower() not in _ENCODINGS[self.encoding]:
            raise self.refused(f"says that it is not {self.encoding}, as its contract does; correct one of them")


def _local(name: str) -> str:
    return name.rpartition(":")[2]
