//! Descriptions of filters and parameters, for both sides.

use std::fmt;

use strum::IntoEnumIterator;

use crate::abi::INR_CAP_GLOBAL;
use crate::codes::{Capability, ParamType, ThreadClass};
use crate::status::Failure;

/// Value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Value of an int, double or bool.
    Number(f64),
    /// Value of a choice (its key) or a string.
    Text(String),
    /// Encoded red, green and blue.
    Rgb([f64; 3]),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Rgb([r, g, b]) => write!(f, "{r},{g},{b}"),
        }
    }
}

/// Type, range and default of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Number {
        /// Accept only whole numbers.
        whole: bool,
        /// Minimum and maximum.
        range: [f64; 2],
        /// Ends of a slider.
        display: [f64; 2],
        /// Default.
        default: f64,
        /// Increment of a spin button.
        step: f64,
        /// Decimal places to show.
        digits: u32,
    },
    /// A bool with its default.
    Bool(bool),
    /// One of several choices.
    Choice {
        /// Keys and labels.
        choices: Vec<(String, String)>,
        /// Key of the default.
        default: String,
    },
    /// Text with its default.
    Text(String),
    /// A colour with its default.
    Rgb([f64; 3]),
}

impl Kind {
    /// The type of the values in C.
    pub fn param_type(&self) -> ParamType {
        match self {
            Self::Number { whole: true, .. } => ParamType::Int,
            Self::Number { whole: false, .. } => ParamType::Double,
            Self::Bool(_) => ParamType::Bool,
            Self::Choice { .. } => ParamType::Choice,
            Self::Text(_) => ParamType::String,
            Self::Rgb(_) => ParamType::Rgb,
        }
    }
}

/// A parameter of a filter or an encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Name in calls: a-z, 0-9 and hyphens.
    pub key: String,
    /// Label in dialogs and menus.
    pub label: String,
    /// One sentence of description.
    pub hint: String,
    /// Heading under which a dialog lists the parameter; empty for none.
    pub group: String,
    /// Type, range and default.
    pub kind: Kind,
    /// Key of the bool, or of the choice with its value, that enables this parameter.
    pub enabled_by: Option<(String, Option<String>)>,
}

impl Param {
    /// Returns a parameter of `kind`, without group or condition.
    pub fn new(key: &str, label: &str, hint: &str, kind: Kind) -> Self {
        Self {
            key: key.into(),
            label: label.into(),
            hint: hint.into(),
            group: String::new(),
            kind,
            enabled_by: None,
        }
    }

    /// Returns a number in `range` with `default` and a slider over `display`.
    pub fn number(
        key: &str,
        label: &str,
        hint: &str,
        range: [f64; 2],
        display: [f64; 2],
        default: f64,
    ) -> Self {
        let span = display[1] - display[0];
        let digits = if span > 50.0 { 1 } else { 2 } + u32::from(span <= 1.0);
        let kind = Kind::Number {
            whole: false,
            range,
            display,
            default,
            step: span / 100.0,
            digits,
        };
        Self::new(key, label, hint, kind)
    }

    /// Returns a whole number in `range` with `default` and a slider over `display`.
    pub fn whole(
        key: &str,
        label: &str,
        hint: &str,
        range: [f64; 2],
        display: [f64; 2],
        default: f64,
    ) -> Self {
        let kind = Kind::Number {
            whole: true,
            range,
            display,
            default,
            step: 1.0,
            digits: 0,
        };
        Self::new(key, label, hint, kind)
    }

    /// Returns a choice among `choices` (keys and labels) with the first as default.
    pub fn choice(key: &str, label: &str, hint: &str, choices: &[(&str, &str)]) -> Self {
        let owned = |(key, label): &(&str, &str)| (key.to_string(), label.to_string());
        let kind = Kind::Choice {
            choices: choices.iter().map(owned).collect(),
            default: choices
                .first()
                .map_or_else(String::new, |(key, _)| key.to_string()),
        };
        Self::new(key, label, hint, kind)
    }

    /// The default value.
    pub fn default(&self) -> Value {
        match &self.kind {
            Kind::Number { default, .. } => Value::Number(*default),
            Kind::Bool(default) => Value::Number(f64::from(u8::from(*default))),
            Kind::Choice { default, .. } | Kind::Text(default) => Value::Text(default.clone()),
            Kind::Rgb(default) => Value::Rgb(*default),
        }
    }

    /// Checks that `value` has the parameter's type and lies in its range.
    ///
    /// # Errors
    /// [`crate::Status::BadArgument`], whose message states the valid values.
    pub fn check(&self, value: &Value) -> Result<(), Failure> {
        let fits = match (&self.kind, value) {
            (Kind::Number { whole, range, .. }, Value::Number(number)) => {
                (range[0]..=range[1]).contains(number) && (!whole || number.fract() == 0.0)
            }
            (Kind::Bool(_), Value::Number(number)) => [0.0, 1.0].contains(number),
            (Kind::Choice { choices, .. }, Value::Text(text)) => {
                choices.iter().any(|(key, _)| key == text)
            }
            (Kind::Text(_), Value::Text(_)) => true,
            (Kind::Rgb(_), Value::Rgb(rgb)) => rgb.iter().all(|part| (0.0..=1.0).contains(part)),
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => Err(self.invalid(&value.to_string())),
        }
    }

    /// Parses `text` into a valid value.
    ///
    /// # Errors
    /// The errors of [`Param::check`].
    pub fn parse(&self, text: &str) -> Result<Value, Failure> {
        let invalid = || self.invalid(text);
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| invalid());
        let value = match &self.kind {
            Kind::Number { .. } => Value::Number(number(text)?),
            Kind::Bool(_) => match text {
                "0" | "no" | "false" | "off" => Value::Number(0.0),
                "1" | "yes" | "true" | "on" => Value::Number(1.0),
                _ => return Err(invalid()),
            },
            Kind::Choice { .. } | Kind::Text(_) => Value::Text(text.to_owned()),
            Kind::Rgb(_) => {
                let parts: Result<Vec<f64>, Failure> = text.split(',').map(number).collect();
                Value::Rgb(parts?.try_into().map_err(|_| invalid())?)
            }
        };
        self.check(&value)?;
        Ok(value)
    }

    fn invalid(&self, found: &str) -> Failure {
        let takes = match &self.kind {
            Kind::Number { whole, range, .. } => {
                let kind = if *whole { "a whole number" } else { "a number" };
                format!("{kind} from {} to {}", range[0], range[1])
            }
            Kind::Bool(_) => "0 or 1".into(),
            Kind::Choice { choices, .. } => {
                let keys: Vec<&str> = choices.iter().map(|(key, _)| key.as_str()).collect();
                format!("one of {}", keys.join(", "))
            }
            Kind::Text(_) => "text".into(),
            Kind::Rgb(_) => "red, green and blue from 0 to 1".into(),
        };
        Failure::bad(format!("{} is {found}; give {takes}", self.key))
    }
}

/// Returns the value of each of `params` in their order: from `given`, or the default.
///
/// # Errors
/// [`crate::Status::BadArgument`] for unknown keys, repeated keys and invalid values.
pub(crate) fn settle(params: &[Param], given: &[(String, Value)]) -> Result<Vec<Value>, Failure> {
    let mut values: Vec<Option<Value>> = vec![None; params.len()];
    for (key, value) in given {
        let found = params.iter().position(|param| param.key == *key);
        let Some(index) = found else {
            let keys: Vec<&str> = params.iter().map(|param| param.key.as_str()).collect();
            let known = match keys.is_empty() {
                true => "this filter has no parameters".into(),
                false => format!("give {}", keys.join(", ")),
            };
            return Err(Failure::bad(format!("unknown parameter {key}; {known}")));
        };
        params[index].check(value)?;
        if values[index].replace(value.clone()).is_some() {
            return Err(Failure::bad(format!("parameter {key} is given twice")));
        }
    }
    let each = params.iter().zip(values);
    Ok(each
        .map(|(param, value)| value.unwrap_or_else(|| param.default()))
        .collect())
}

/// An input picture of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Name in calls.
    pub key: String,
    /// Label in dialogs and menus.
    pub label: String,
    /// One sentence of description.
    pub hint: String,
    /// Whether the filter needs this input.
    pub required: bool,
}

impl Input {
    /// Returns an input with this key, label and hint.
    pub fn new(key: &str, label: &str, hint: &str, required: bool) -> Self {
        Self {
            key: key.into(),
            label: label.into(),
            hint: hint.into(),
            required,
        }
    }
}

/// How to recognise files of a codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileType {
    /// Usual extension of file names, in lower case without a dot; empty when there is none.
    pub extension: String,
    /// MIME type; empty when there is none.
    pub mime_type: String,
    /// The first bytes of every file; empty when they vary.
    pub magic: Vec<u8>,
}

/// Capabilities of a filter or plug-in: the sum of `INR_CAP_*` constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(pub u32);

impl Capabilities {
    /// Names of the capabilities.
    pub fn words(self) -> Vec<&'static str> {
        let has = Capability::iter().filter(|one| self.has(*one as u32));
        has.map(Into::into).collect()
    }

    /// True when the set contains all of `bits`.
    pub fn has(self, bits: u32) -> bool {
        self.0 & bits == bits
    }
}

/// Description of a filter for hosts.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Unique name that never changes: a reversed domain.
    pub id: String,
    /// Short name for command lines: a-z, 0-9 and hyphens.
    pub key: String,
    /// Label in dialogs and menus.
    pub label: String,
    /// One sentence of description.
    pub hint: String,
    /// Version of the filter.
    pub version: String,
    /// Capabilities of the filter.
    pub capabilities: Capabilities,
    /// Which threads may call.
    pub thread_class: ThreadClass,
    /// Inputs; the filter edits the first.
    pub inputs: Vec<Input>,
    /// Parameters.
    pub params: Vec<Param>,
}

impl Filter {
    /// True when every output pixel depends on the whole picture.
    pub fn is_global(&self) -> bool {
        self.capabilities.has(INR_CAP_GLOBAL)
    }
}
