//! From bytes to [`Json`], on the pull parser of the crate jiter with a stack of our own: depth
//! costs heap, not stack, and is bounded.

use jiter::{Jiter, Peek};
use zeroize::{Zeroize, Zeroizing};

use super::fault::{JsonFault, JsonFaultKind, NOT_UTF8, Stop, TOO_DEEP, TOO_LONG, TWICE, stop};
use super::{Json, Number, Object};

/// How many arrays and objects may lie inside one another.
pub const MAX_DEPTH: usize = 128;
/// How many digits a number may have, those of fraction and exponent included.
pub const MAX_DIGITS: usize = 4_300;

pub(super) fn parse(bytes: &[u8]) -> Result<Json, JsonFault> {
    if bytes.is_empty() {
        return Err(Stop::new(JsonFaultKind::Empty, 0, "the text is empty").in_text(bytes));
    }
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    check_encoding(text)
        .and_then(|()| Parser::new(text).document())
        .map_err(|stop| stop.in_text(text))
}

/// RFC 8259 section 8.1. A zero among the first two bytes is UTF-16 or UTF-32 (RFC 4627
/// section 3), which would otherwise pass as valid UTF-8.
fn check_encoding(text: &[u8]) -> Result<(), Stop> {
    let wide = text.iter().take(2).position(|byte| *byte == 0);
    let broken = || {
        std::str::from_utf8(text)
            .err()
            .map(|error| error.valid_up_to())
    };
    match wide.or_else(broken) {
        Some(at) => Err(Stop::new(JsonFaultKind::Encoding, at, NOT_UTF8)),
        None => Ok(()),
    }
}

/// A container that is still open; an object with the key whose value comes next.
enum Open {
    Array(Vec<Json>),
    Object(Object, Zeroizing<String>),
}

struct Parser<'t> {
    jiter: Jiter<'t>,
    open: Vec<Open>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t [u8]) -> Self {
        // Strings with escapes pass through this buffer: large enough never to be reallocated,
        // so that wiping it at the end reaches every copy.
        let room = if text.contains(&b'\\') { text.len() } else { 0 };
        Self {
            jiter: Jiter::with_tape(text, Vec::with_capacity(room)),
            open: Vec::new(),
        }
    }

    fn document(mut self) -> Result<Json, Stop> {
        let outcome = self.value_and_end();
        self.jiter.into_tape().zeroize();
        outcome
    }

    fn value_and_end(&mut self) -> Result<Json, Stop> {
        let mut next = self.jiter.peek().map_err(stop)?;
        loop {
            let Some(value) = self.start(&mut next)? else {
                continue;
            };
            match self.finish(value)? {
                Step::Value(peek) => next = peek,
                Step::End(root) => {
                    self.jiter.finish().map_err(stop)?;
                    return Ok(root);
                }
            }
        }
    }

    /// Reads a scalar or an empty container; otherwise opens the container, points `next` at its
    /// first value and gives nothing.
    fn start(&mut self, next: &mut Peek) -> Result<Option<Json>, Stop> {
        Ok(Some(match *next {
            Peek::Null => self.jiter.known_null().map(|()| Json::Null).map_err(stop)?,
            Peek::True | Peek::False => Json::Bool(self.jiter.known_bool(*next).map_err(stop)?),
            Peek::String => Json::from(self.jiter.known_str().map_err(stop)?),
            Peek::Array => {
                self.check_depth()?;
                match self.jiter.known_array().map_err(stop)? {
                    None => Json::Array(Vec::new()),
                    Some(first) => {
                        self.open.push(Open::Array(Vec::new()));
                        *next = first;
                        return Ok(None);
                    }
                }
            }
            Peek::Object => {
                self.check_depth()?;
                match self.jiter.known_object().map_err(stop)?.map(owned) {
                    None => Json::Object(Object::new()),
                    Some(key) => {
                        self.open.push(Open::Object(Object::new(), key));
                        *next = self.jiter.peek().map_err(stop)?;
                        return Ok(None);
                    }
                }
            }
            Peek::NaN | Peek::Infinity => return Err(self.refuse("NaN and Infinity are not JSON")),
            peek if peek.is_num() => self.number(peek)?,
            _ => return Err(self.refuse("expected a value")),
        }))
    }

    fn number(&mut self, peek: Peek) -> Result<Json, Stop> {
        let start = self.jiter.current_index();
        let text = self.jiter.known_number_bytes(peek).map_err(stop)?;
        if text.iter().filter(|byte| byte.is_ascii_digit()).count() > MAX_DIGITS {
            return Err(Stop::new(JsonFaultKind::NumberTooLong, start, TOO_LONG));
        }
        match std::str::from_utf8(text) {
            Ok(text) => Ok(Json::Number(Number::trusted(text))),
            Err(_) => Err(Stop::new(JsonFaultKind::Syntax, start, "invalid number")),
        }
    }

    /// Puts a whole value where it belongs, closing containers as far as they end here.
    fn finish(&mut self, mut value: Json) -> Result<Step, Stop> {
        loop {
            value = match self.open.pop() {
                None => return Ok(Step::End(value)),
                Some(Open::Array(mut items)) => {
                    items.push(value);
                    if let Some(next) = self.jiter.array_step().map_err(stop)? {
                        self.open.push(Open::Array(items));
                        return Ok(Step::Value(next));
                    }
                    Json::Array(items)
                }
                Some(Open::Object(mut object, mut key)) => {
                    object.insert(std::mem::take(&mut *key), value);
                    if let Some(key) = self.jiter.next_key().map_err(stop)?.map(owned) {
                        if object.contains_key(&key) {
                            let at = self.jiter.current_index();
                            return Err(Stop::new(JsonFaultKind::DuplicateKey, at, TWICE));
                        }
                        self.open.push(Open::Object(object, key));
                        return Ok(Step::Value(self.jiter.peek().map_err(stop)?));
                    }
                    Json::Object(object)
                }
            };
        }
    }

    fn check_depth(&self) -> Result<(), Stop> {
        if self.open.len() < MAX_DEPTH {
            return Ok(());
        }
        Err(Stop::new(
            JsonFaultKind::TooDeep,
            self.jiter.current_index(),
            TOO_DEEP,
        ))
    }

    fn refuse(&self, reason: &'static str) -> Stop {
        Stop::new(JsonFaultKind::Syntax, self.jiter.current_index(), reason)
    }
}

enum Step {
    /// A further value begins here.
    Value(Peek),
    /// The outermost value is whole.
    End(Json),
}

fn owned(key: &str) -> Zeroizing<String> {
    Zeroizing::new(key.to_owned())
}
