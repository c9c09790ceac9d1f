"""An officer who reads Chinese is told what went wrong in Chinese, with the English beside it."""

import json
import sys

import pytest

from casebus_deploy.cli.main import USAGE, main


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command that is used wrongly says on the error output."""
    monkeypatch.setattr(sys, "argv", ["casebus", *words])
    monkeypatch.delenv("CASEBUS_CONNECTION", raising=False)
    monkeypatch.delenv("CASEBUS_AGENCY", raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == USAGE
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "chinese", "english"),
    [
        (("inbox", "-a", "police"), "没有这样的机关，实为 'police'，应为 其中之一：csrc", "no such agency"),
        (("receipts", "-a", "police"), "没有这样的机关，实为 'police'", "no such agency"),
        (("case", "demo-1"), "哪个核对数据库？", "which accounts?"),
        (("obligations", "--state", "late"), "没有这样的状态，实为 'late'", "no such state"),
        (("findings", "--rule", "R99"), "没有这样的规则，实为 'R99'", "no such rule"),
        (("answer", "abcd", "-a", "csrc"), "什么也没有说，应为 说明文字，或 --accept", "nothing is said"),
        (("correct", "x", "-a", "csrc", "--reasons", "r"), "设置缺失或有误，实为 CASEBUS_", "settings are"),
        (("withdraw", "x", "-a", "police", "--reasons", "r"), "没有这样的机关", "no such agency"),
        (("check", "/nowhere.jsonl"), "无法读取 /nowhere.jsonl", "cannot read /nowhere.jsonl"),
    ],
)
def test_errors_are_said_in_chinese_and_english(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    chinese: str,
    english: str,
) -> None:
    """One line in each language, the Chinese first."""
    first, second = told(monkeypatch, capsys, *words).splitlines()
    assert first.startswith(f"casebus: {chinese}")
    assert second.startswith(f"casebus: {english}")


@pytest.mark.parametrize(
    ("words", "chinese"),
    [
        (("inbox",), "缺少选项 '--agency' / '-a'"),
        (("findings", "--rul", "R30"), "没有这样的选项：--rul（可用：--all, --rule）"),
        (("case", "one", "two"), "多余的参数（two）"),
        (("inbox", "-a", "csrc", "--after", "x"), "'--after' 的值不对"),
        (("inbx",), "没有这样的命令 'inbx'，是否指 'inbox'？"),
    ],
)
def test_wrong_use_of_the_command_line_is_said_in_chinese(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], chinese: str
) -> None:
    """Below what the command line's library says there is a line of our own."""
    assert f"casebus: {chinese}" in told(monkeypatch, capsys, *words).splitlines()[-1]


def test_an_error_in_json_has_both_languages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs that show errors to officers find both texts."""
    said = json.loads(told(monkeypatch, capsys, "case", "demo-1", "--json"))
    assert (said["error"], said["zh"][:8], said["detail"][:15]) == (
        "UsageError",
        "哪个核对数据库？",
        "which accounts?",
    )
