//! Query parameters, as FastAPI reads them: the last of repeated ones, or all of them; integers by pydantic's rules for
//! texts (measured with pydantic 2.14).

use std::borrow::Cow;

use crate::domain::error::Rule;
use crate::http::shape::Faults;
use crate::json::Number;

/// The most digits that pydantic reads.
const DIGITS: usize = 4300;

/// Every value of a parameter, in the order in which they came.
pub(in crate::http::klavis) fn all<'a>(
    pairs: &'a [(String, String)],
    name: &'a str,
) -> impl DoubleEndedIterator<Item = &'a str> {
    pairs
        .iter()
        .filter(move |(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// The value of a parameter that has one: the last.
pub(in crate::http::klavis) fn last<'a>(
    pairs: &'a [(String, String)],
    name: &'a str,
) -> Option<&'a str> {
    all(pairs, name).next_back()
}

/// The integers that a parameter takes, and the one that stands for none.
#[derive(Debug, Clone, Copy)]
pub(in crate::http::klavis) struct Limits {
    /// The smallest.
    pub min: i64,
    /// The largest, if there is one.
    pub max: Option<i64>,
    /// Where the parameter is absent.
    pub default: i64,
}

/// An integer parameter. Its faults are noted under its name.
pub(in crate::http::klavis) fn integer(
    pairs: &[(String, String)],
    name: &'static str,
    limits: Limits,
    faults: &mut Faults,
) -> Option<Integer> {
    let read = last(pairs, name).map_or_else(|| Ok(limits.default.into()), Integer::parse);
    let broken = match read {
        Err(rule) => rule,
        Ok(integer) => match limits.max.filter(|max| integer.near() > *max) {
            Some(max) => Rule::AtMost { max },
            None if integer.near() < limits.min => Rule::AtLeast { min: limits.min },
            None => return Some(integer),
        },
    };
    faults.note(name, broken);
    None
}

/// An integer of any size, in its shortest form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http::klavis) struct Integer(String);

impl From<i64> for Integer {
    fn from(value: i64) -> Self {
        Self(value.to_string())
    }
}

impl Integer {
    /// The integer that a text stands for: as JSON writes it; or with white space around it, a sign, leading zeros,
    /// single underscores between digits, or a fraction of zeros.
    pub fn parse(text: &str) -> Result<Self, Rule> {
        match Self::strict(text) {
            Err(Rule::NotAnInteger) => {}
            done => return done,
        }
        let cleaned = cleaned(text).ok_or(Rule::NotAnInteger)?;
        // pydantic has one fault for everything that is wrong by now.
        Self::strict(&cleaned).map_err(|_| Rule::NotAnInteger)
    }

    /// An integer as JSON writes it (RFC 8259 section 6). Digits are counted before what follows them is looked at.
    fn strict(text: &str) -> Result<Self, Rule> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let rest = unsigned.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = unsigned.len() - rest.len();
        let has_idle_zero = digits > 1 && unsigned.starts_with('0');
        if digits == 0 || has_idle_zero {
            return Err(Rule::NotAnInteger);
        }
        if digits > DIGITS {
            return Err(Rule::TooManyDigits);
        }
        match (rest, text) {
            ("", "-0") => Ok(Self("0".to_owned())),
            ("", _) => Ok(Self(text.to_owned())),
            _ => Err(Rule::NotAnInteger),
        }
    }

    /// The integer, or the nearest one that fits.
    pub fn near(&self) -> i64 {
        let beyond = if self.0.starts_with('-') {
            i64::MIN
        } else {
            i64::MAX
        };
        self.0.parse().unwrap_or(beyond)
    }

    /// The integer as JSON, in full.
    pub fn to_number(&self) -> Number {
        Number::new(&self.0).unwrap_or_else(|| self.near().into())
    }
}

/// What is left of a text without what pydantic overlooks; `None` where it begins like no integer.
fn cleaned(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let mut digits = without_leading_zeros(unsigned)?;
    if let Some((whole, fraction)) = digits.split_once('.')
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte == b'0')
    {
        digits = whole;
    }
    let is_grouped = digits.contains('_')
        && !digits.contains("__")
        && !digits.starts_with('_')
        && !digits.ends_with('_');
    let digits = if is_grouped {
        Cow::Owned(digits.replace('_', ""))
    } else {
        Cow::Borrowed(digits)
    };
    Some(if sign.is_empty() {
        digits
    } else {
        Cow::Owned(format!("{sign}{digits}"))
    })
}

/// The text from its first digit that counts. Among leading zeros pydantic skips underscores, however many, and takes a
/// sign after them for the integer's.
fn without_leading_zeros(text: &str) -> Option<&str> {
    match text.bytes().next()? {
        b'1'..=b'9' => return Some(text),
        b'0' => {}
        _ => return None,
    }
    let skipped = text.trim_start_matches(['0', '_']).len();
    let at = text.len() - skipped;
    match text.as_bytes().get(at) {
        None | Some(b'.') => text.get(at - 1..),
        Some(b'1'..=b'9' | b'-') => text.get(at..),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Rule> {
        Integer::parse(text).map(|integer| integer.0)
    }

    /// Measured with pydantic 2.14, which agrees on every text of up to six of the characters `01_+-. `.
    #[test]
    fn integers_are_those_that_pydantic_takes() {
        for (text, value) in [
            ("5", "5"),
            ("+5", "5"),
            (" 5 ", "5"),
            ("\t\u{a0}5\u{2003}\n", "5"),
            ("0005", "5"),
            ("-0", "0"),
            ("-007", "-7"),
            ("1_0", "10"),
            ("0_5", "5"),
            ("0__1", "1"),
            ("0-1", "-1"),
            ("0-_1", "-1"),
            ("1.0", "1"),
            ("1_0.00", "10"),
            ("00.0", "0"),
            ("-1.0", "-1"),
            (" 2.0 ", "2"),
            ("999999999999999999999.0", "999999999999999999999"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(value), "{text}");
        }
        let others = "|1.|.0|1.5|1.0_0|_10|10_|1__0|--5|+-5|- 5|-_5|2 .0|0x10|1e3|٣|true|null|5\0|\u{1c}5|\u{fffd}|0+1|+";
        for text in others.split('|') {
            assert_eq!(read(text), Err(Rule::NotAnInteger), "{text}");
        }
    }

    #[test]
    fn digits_are_counted_as_pydantic_counts_them() {
        let nines = |count| "9".repeat(count);
        for text in [
            nines(4300),
            format!("-{}", nines(4300)),
            format!("0_{}", nines(4300)),
            format!("+{}.0", nines(4300)),
            format!("{}1", "0".repeat(5000)),
        ] {
            assert!(read(&text).is_ok());
        }
        for text in [nines(4301), format!("-{}", nines(4301)), nines(5000) + "x"] {
            assert_eq!(read(&text), Err(Rule::TooManyDigits));
        }
        for text in [
            format!("+{}", nines(4301)),
            format!("0{}", nines(4301)),
            "x".repeat(5000),
        ] {
            assert_eq!(read(&text), Err(Rule::NotAnInteger));
        }
    }

    #[test]
    fn what_lies_beyond_64_bits_is_kept_and_compared() {
        let beyond = Integer::parse(&"9".repeat(30)).expect("an integer");
        assert_eq!(beyond.near(), i64::MAX);
        assert_eq!(beyond.to_number().as_str(), "9".repeat(30));
        let below = Integer::parse(&format!("-{}", "9".repeat(30))).expect("an integer");
        assert_eq!(below.near(), i64::MIN);
    }

    #[test]
    fn the_last_value_counts_and_limits_are_inclusive() {
        let limits = Limits {
            min: 1,
            max: Some(1000),
            default: 50,
        };
        let of = |values: &[&str]| {
            let pairs: Vec<_> = values
                .iter()
                .map(|value| ("n".to_owned(), (*value).to_owned()))
                .collect();
            let mut faults = Faults::default();
            let value = integer(&pairs, "n", limits, &mut faults);
            faults
                .finish(value)
                .map(|integer| integer.near())
                .map_err(|mut issues| issues.remove(0).rule)
        };
        assert_eq!(of(&[]), Ok(50));
        assert_eq!(of(&["x", "1"]), Ok(1));
        assert_eq!(of(&["1", "x"]), Err(Rule::NotAnInteger));
        assert_eq!(of(&["1000"]), Ok(1000));
        assert_eq!(of(&["1001"]), Err(Rule::AtMost { max: 1000 }));
        assert_eq!(of(&["0"]), Err(Rule::AtLeast { min: 1 }));
        assert_eq!(of(&[&"9".repeat(40)]), Err(Rule::AtMost { max: 1000 }));
    }
}
