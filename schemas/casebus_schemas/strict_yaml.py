"""Reading the package's YAML strictly: nothing unknown, nothing missing, nothing said twice."""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from .errors import UsageError

# libyaml's parser takes a tenth of the time; a build of PyYAML without it has only its own.
_SafeLoader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class _OneOfEach(_SafeLoader):  # type: ignore[misc,valid-type]  # one of two
    """YAML lets the second of two equal keys win in silence; here it is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        found: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            key = self.construct_object(key_node, deep=True)
            if key in found:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} twice", key_node.start_mark)
            found.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def read_yaml(where: str, source: str) -> Any:
    """The value of a YAML text. Raises UsageError for what is no YAML, or says a key twice."""
    try:
        # A subclass of SafeLoader: nothing but plain values can come out.
        return yaml.load(source, Loader=_OneOfEach)
    except yaml.YAMLError as error:
        raise UsageError(f"{where} cannot be read", found=" ".join(str(error).split())[:300]) from error


def known_keys(where: str, entry: Any, *, required: Iterable[str], optional: Iterable[str] = ()) -> None:
    """Raises UsageError unless the entry is a mapping with all of the required keys and no unknown one."""
    if not isinstance(entry, dict):
        raise UsageError(f"{where} is no mapping", found=repr(entry)[:100], expected=", ".join(required))
    required, allowed = list(required), {*required, *optional}
    missing = [key for key in required if key not in entry]
    unknown = [str(key) for key in entry if key not in allowed]
    if missing or unknown:
        said = [f"without {', '.join(missing)}"] * bool(missing) + [f"{', '.join(unknown)}"] * bool(unknown)
        raise UsageError(
            f"{where}: its keys",
            found=" and ".join(said),
            expected=f"{', '.join(required)}" + (f"; may have {', '.join(optional)}" if optional else ""),
        )


def entries(where: str, value: Any) -> Iterator[tuple[Any, Any]]:
    """Key and value of a mapping that is not empty. Raises UsageError for anything else."""
    if not isinstance(value, dict) or not value:
        raise UsageError(where, found=repr(value)[:100], expected="a mapping with entries")
    yield from value.items()


def text(where: str, key: str, value: Any) -> str:
    """A text that is not empty. Raises UsageError for anything else."""
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{where}: {key}", found=repr(value)[:100], expected="a text")
    return value


def texts(where: str, key: str, value: Any) -> tuple[str, ...]:
    """A list of different texts, which may be empty. Raises UsageError for anything else."""
    if not isinstance(value, list) or any(not isinstance(item, str) for item in value):
        raise UsageError(f"{where}: {key}", found=repr(value)[:100], expected="a list of words")
    if len(set(value)) != len(value):
        raise UsageError(f"{where}: {key}", found=", ".join(value), expected="each once")
    return tuple(value)
