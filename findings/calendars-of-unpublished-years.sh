#!/usr/bin/env bash
# Days of a year whose holidays China has not published: one package refuses, one answers for weekends only, one answers everything.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check chinesecalendar==1.11.0 workalendar==17.0.0 holidays==0.109
"$folder/venv/bin/python" - <<'PYTHON'
import warnings
from datetime import date

import chinese_calendar
import holidays
from workalendar.asia import China

warnings.simplefilter("ignore")
# In most years a Saturday or Sunday next to the National Day week is a make-up workday: nobody can know
# today whether the second of these will be one.
DAYS = (date(2030, 10, 1), date(2030, 10, 12), date(2030, 10, 8))
PACKAGES = {
    "chinesecalendar": chinese_calendar.is_workday,
    "workalendar": China().is_working_day,
    "holidays": holidays.country_holidays("CN", years=[2030]).is_working_day,
}


def answer(ask, day):
    try:
        return ask(day)
    except Exception as error:
        return type(error).__name__


seen = {name: [answer(ask, day) for day in DAYS] for name, ask in PACKAGES.items()}
for name, answers in seen.items():
    print(f"{name:16}", *(f"{day:%a %F}: {said}" for day, said in zip(DAYS, answers)), sep="  ")
assert seen == {
    "chinesecalendar": ["NotImplementedError"] * 3,
    "workalendar": ["CalendarError", False, "CalendarError"],
    "holidays": [False, False, True],
}
PYTHON
