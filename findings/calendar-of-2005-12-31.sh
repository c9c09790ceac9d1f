#!/usr/bin/env bash
# chinesecalendar 1.11.0 takes Saturday 2005-12-31 for a day off; the notice for New Year 2006 made it a workday (holidays 0.109 has it right).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check chinesecalendar==1.11.0 holidays==0.109
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import date

import chinese_calendar
import holidays

day = date(2005, 12, 31)
print("weekday", day.strftime("%A"))
theirs = chinese_calendar.is_workday(day)
other = holidays.country_holidays("CN", years=[2005, 2006]).is_working_day(day)
print("chinesecalendar: workday", theirs)
print("holidays:        workday", other)
assert (theirs, other) == (False, True)
PYTHON
