#!/usr/bin/env bash
# python-stdnum 2.2 (stdnum.cn.ric) refuses residence permit numbers of Hong Kong, Macau and Taiwan residents (81, 82, 83), though their check digit is right.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check python-stdnum==2.2
"$folder/venv/bin/python" - <<'PYTHON'
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

# Made up; the places 810000, 820000 and 830000 stand on the permits issued since 2018.
PLACES = ("810000", "820000", "830000")
for place in PLACES:
    body = place + "19900101" + "001"
    number = body + ric.calc_check_digit(body + "0")
    try:
        ric.validate(number)
        raise SystemExit(f"{number[:6]}…: accepted, which this finding says it is not")
    except InvalidComponent as error:
        print(f"{place}: {type(error).__name__}")
number = "110105194912310" + "02"
assert ric.is_valid(number + ric.calc_check_digit(number + "0"))
print("110105: valid")
PYTHON
