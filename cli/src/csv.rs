//! Comma-separated values (RFC 4180), as far as they are needed here: no line breaks inside fields.

/// A line of `fields`, in quotes where they need them.
pub fn line<S: AsRef<str>>(fields: &[S]) -> String {
    let quoted = |field: &S| {
        let field = field.as_ref().replace(['\r', '\n'], " ");
        if field.contains([',', '"']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field
        }
    };
    let fields: Vec<String> = fields.iter().map(quoted).collect();
    fields.join(",") + "\n"
}

/// The fields of a line.
pub fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.trim_end_matches(['\r', '\n']).chars().peekable();
    while let Some(character) = characters.next() {
        let last = fields.len() - 1;
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                fields[last].push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields[last].push(other),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_as_they_were() {
        for fields_in in [
            &["a", "b c", ""][..],
            &["1,5", "say \"no\"", "\""],
            &["", "", ""],
        ] {
            assert_eq!(fields(&line(fields_in)), fields_in);
        }
    }
}
