"""The columns of the canonical rows, defined once.

`data.sources` turns whatever a client sends into a table with these columns; everything after it
reads only these.
"""

from __future__ import annotations

from typing import Final

CUSTOMER: Final = "customer"  # text: numbers that are ids keep their leading zeros
TIME: Final = (
    "time"  # timestamp, local in the client's time zone; midnight where only a day is known
)
DAY: Final = "day"  # date of `time`
AMOUNT: Final = "amount"  # money in the report's currency, exact to four decimals
CURRENCY: Final = "currency"  # of the amount as it came
ORDER: Final = "order"
BIRTHDAY: Final = "birthday"  # the customer's, where the client has it
OTHER_BIRTHDAY: Final = "other_birthday"  # the latest, where a customer's rows have several
BOUGHT: Final = "bought"  # whether a customer-day is a purchase
CAUSE: Final = "cause"  # why a row is left out; null where it is used

#: Columns that a client may map beside customer, date and amount.
OPTIONAL: Final = ("order", "product", "category", "channel", "market", "currency", "birthday")

#: Money is decimal, not float: 0.10 + 0.20 − 0.30 is no purchase. Four decimals hold unit prices
#: and every currency's minor unit; larger than 10^14 is no order amount.
MONEY: Final = "decimal(18, 4)"
#: The sum of any number of them.
TOTAL: Final = "decimal(38, 4)"

#: Days outside these are typing errors, not orders.
FIRST_POSSIBLE_DAY: Final = "1900-01-01"
LAST_POSSIBLE_DAY: Final = "2199-12-31"
