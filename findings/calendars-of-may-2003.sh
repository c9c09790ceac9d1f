#!/usr/bin/env bash
# May 2003: two calendar packages keep a week of holidays that was called off ten days before it began (SARS): 6 and 7
# May were worked, and the weekend before, 26 and 27 April, was free.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check holidays==0.109 lunar_python==1.4.8
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import date

import holidays
from lunar_python.util import HolidayUtil

# By the State Council's notice of 21 April 2003 each of these days is as its day of the week is.
DAYS = {date(2003, 4, 26): False, date(2003, 4, 27): False, date(2003, 5, 6): True, date(2003, 5, 7): True}
CHINA = holidays.country_holidays("CN", years=[2003])

seen = {
    "holidays": [CHINA.is_working_day(day) for day in DAYS],
    "lunar_python": [HolidayUtil.getHoliday(day.isoformat()).isWork() for day in DAYS],
}
print(f"{'worked in fact':16}", *(f"{day:%a %F}: {worked}" for day, worked in DAYS.items()), sep="  ")
for name, answers in seen.items():
    print(f"{name:16}", *(f"{day:%a %F}: {said}" for day, said in zip(DAYS, answers)), sep="  ")
assert seen == {name: [not worked for worked in DAYS.values()] for name in seen}
PYTHON
