//! The one way in which the API writes times: `2022-05-05T20:04:40.084Z`.

use delivery_ledger::UnixMillis;

/// How many days a year has before each of its months, but for a leap day.
const DAYS_BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// Reads a time of the years 1970 to 2999; `None` if it is written in any other way, or no calendar has it.
#[inline]
pub(super) fn read_iso_time(text: &[u8; 24]) -> Option<UnixMillis> {
    const SIGNS: [(usize, u8); 7] = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
    let mut is_sound = SIGNS.iter().all(|(at, sign)| text[*at] == *sign);
    let mut number = |from: usize, to: usize| {
        text[from..to].iter().fold(0_i64, |number, byte| {
            let digit = byte.wrapping_sub(b'0');
            is_sound &= digit <= 9;
            number * 10 + i64::from(digit)
        })
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second, millis) = (number(11, 13), number(14, 16), number(17, 19), number(20, 23));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    // Which makes it an index, too.
    is_sound &= (1..=12).contains(&month) && (1970..3000).contains(&year);
    // The leap second is left to others.
    is_sound &= day >= 1 && hour < 24 && minute < 60 && second < 60;
    let month = usize::try_from(month).ok().filter(|_| is_sound)?;
    let leap_day = i64::from(is_leap);
    if day > DAYS_BEFORE[month] - DAYS_BEFORE[month - 1] + if month == 2 { leap_day } else { 0 } {
        return None;
    }
    let before = year - 1;
    let leap_days_before = before / 4 - before / 100 + before / 400 - LEAP_DAYS_BEFORE_1970;
    let leap_days = leap_days_before + if month > 2 { leap_day } else { 0 };
    let days = (year - 1970) * 365 + DAYS_BEFORE[month - 1] + day - 1 + leap_days;
    Some(UnixMillis::from_millis((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + millis))
}

/// Of the years 1 to 1969.
const LEAP_DAYS_BEFORE_1970: i64 = 1969 / 4 - 1969 / 100 + 1969 / 400;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_the_calendar(text: &str) -> Option<UnixMillis> {
        let timestamp = text.parse::<jiff::Timestamp>().ok()?;
        Some(UnixMillis::from_millis(timestamp.as_millisecond()))
    }

    fn read(text: &str) -> Option<UnixMillis> {
        read_iso_time(text.as_bytes().try_into().expect("24 bytes"))
    }

    #[test]
    fn each_day_of_the_calendar_is_read_and_no_other() {
        for (year, month, day) in
            (1969..=3000).flat_map(|year| (0..=13).flat_map(move |month| (0..=32).map(move |day| (year, month, day))))
        {
            let text = format!("{year:04}-{month:02}-{day:02}T23:59:07.084Z");
            let expected = by_the_calendar(&text).filter(|_| (1970..3000).contains(&year));
            assert_eq!(read(&text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_the_calendar_says(
            millis in 0..32_503_680_000_000_i64,
            changed in prop::option::of((0..24_usize, any::<char>().prop_filter("a byte", char::is_ascii))),
        ) {
            let mut text = format!("{:.3}", jiff::Timestamp::from_millisecond(millis).expect("within the calendar"));
            if let Some((at, to)) = changed {
                text.replace_range(at..=at, &to.to_string());
            } else {
                prop_assert_eq!(read(&text), Some(UnixMillis::from_millis(millis)));
            }
            if let Some(at) = read(&text) {
                prop_assert_eq!(Some(at), by_the_calendar(&text));
            }
        }
    }
}
