//! The subset of Python's pickle format used for tensors. Nothing is ever called: a pickle that requests anything
//! except tensors, dictionaries and numbers is refused.

use std::collections::HashMap;

use super::{Dtype, MOST_PICKLE_BYTES};

/// Maximum number of dimensions of a tensor.
const MOST_DIMENSIONS: usize = 8;
/// Maximum length of a storage's key.
const MOST_KEY_BYTES: usize = 64;

/// Index of an object in its pickle. Objects refer to each other by index, which avoids copies and recursive drops.
pub(super) type Id = usize;

/// The reason why a pickle was not read.
#[derive(Debug)]
pub(super) enum Fault {
    /// The pickle requests this function or class.
    Refused(String),
    /// The pickle is malformed.
    Malformed(String),
}

/// An object in a pickle.
#[derive(Clone, Debug)]
pub(super) enum Object {
    Nothing,
    Number(i64),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Function(Function),
    /// Value type and key of a storage.
    Storage(Dtype, String),
    Tensor(Stored),
}

/// The functions and classes that saved tensors need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Size,
    Storage(Dtype),
}

/// A tensor: part of a storage. Offset and strides count values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) dtype: Dtype,
    pub(super) storage: String,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// All objects of a pickle.
pub(super) struct Pickle {
    objects: Vec<Object>,
    pub(super) root: Id,
    /// Length of the pickle in bytes.
    pub(super) length: usize,
}

impl Pickle {
    /// Parses the pickle at the start of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let mut reader = Reader {
            bytes: &bytes[..bytes.len().min(MOST_PICKLE_BYTES)],
            at: 0,
            objects: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
        };
        while !reader.step()? {}
        let root = reader.pop()?;
        Ok(Self {
            objects: reader.objects,
            root,
            length: reader.at,
        })
    }

    pub(super) fn object(&self, id: Id) -> &Object {
        &self.objects[id]
    }

    /// Types and keys of all storages referenced by the pickle.
    pub(super) fn storages(&self) -> impl Iterator<Item = (Dtype, &str)> {
        self.objects.iter().filter_map(|object| match object {
            Object::Storage(dtype, key) => Some((*dtype, key.as_str())),
            _ => None,
        })
    }

    /// Tensors by name from the dictionary with the most direct tensors: the root or one nested in it, such as a
    /// checkpoint's state dictionary beside that of its optimiser.
    pub(super) fn tensors(&self) -> Vec<(&str, &Stored)> {
        let mut best = Vec::new();
        let mut level = vec![self.root];
        // Checkpoints are nested at most three deep; the limit also ends cycles.
        for _ in 0..4 {
            let mut inner = Vec::new();
            for id in level {
                let Object::Dict(pairs) = self.object(id) else {
                    continue;
                };
                let tensor = |&(key, value): &(Id, Id)| match (self.object(key), self.object(value))
                {
                    (Object::Text(name), Object::Tensor(tensor)) => Some((name.as_str(), tensor)),
                    _ => None,
                };
                let found: Vec<_> = pairs.iter().filter_map(tensor).collect();
                if found.len() > best.len() {
                    best = found;
                }
                inner.extend(pairs.iter().map(|pair| pair.1));
            }
            inner.sort_unstable();
            inner.dedup();
            level = inner;
        }
        best
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    objects: Vec<Object>,
    stack: Vec<Id>,
    /// Stack heights at the marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

fn malformed<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Malformed(what.into()))
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], Fault> {
        let end = self.at.checked_add(count);
        let Some(part) = end.and_then(|end| self.bytes.get(self.at..end)) else {
            return malformed("a pickle that is cut short, or too long for weights");
        };
        self.at += count;
        Ok(part)
    }

    fn number<const N: usize>(&mut self) -> Result<u64, Fault> {
        let bytes = self.take(N)?.iter().rev();
        Ok(bytes.fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    fn line(&mut self) -> Result<String, Fault> {
        let rest = &self.bytes[self.at..];
        let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
            return malformed("a pickle with a name that does not end");
        };
        let line = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += length + 1;
        Ok(line)
    }

    fn push(&mut self, object: Object) {
        self.objects.push(object);
        self.stack.push(self.objects.len() - 1);
    }

    fn pop(&mut self) -> Result<Id, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len() > floor {
            true => Ok(self.stack.pop().expect("longer than its floor")),
            false => malformed("a pickle that takes what is not there"),
        }
    }

    /// Pops the objects above the last mark.
    fn marked(&mut self) -> Result<Vec<Id>, Fault> {
        match self.marks.pop() {
            Some(height) => Ok(self.stack.split_off(height)),
            None => malformed("a pickle without the mark that it goes back to"),
        }
    }

    fn text(&mut self, length: usize) -> Result<(), Fault> {
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.push(Object::Text(text));
        Ok(())
    }

    fn tuple(&mut self, count: usize) -> Result<(), Fault> {
        let mut items = (0..count)
            .map(|_| self.pop())
            .collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        self.push(Object::Tuple(items));
        Ok(())
    }

    fn remember(&mut self, key: u32) -> Result<(), Fault> {
        let Some(&id) = self.stack.last() else {
            return malformed("a pickle that remembers nothing");
        };
        self.memo.insert(key, id);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<(), Fault> {
        match self.memo.get(&key) {
            Some(&id) => {
                self.stack.push(id);
                Ok(())
            }
            None => malformed("a pickle that recalls what it never had"),
        }
    }

    /// Appends `items` to the list, or inserts them as pairs into the dictionary, on top of the stack.
    fn extend(&mut self, items: Vec<Id>) -> Result<(), Fault> {
        let Some(&id) = self.stack.last() else {
            return malformed("a pickle that adds to nothing");
        };
        match &mut self.objects[id] {
            Object::List(list) => list.extend(items),
            Object::Dict(pairs) if items.len().is_multiple_of(2) => {
                pairs.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
            }
            _ => return malformed("a pickle that adds to neither list nor dictionary"),
        }
        Ok(())
    }

    /// Executes one operation; returns true at the end.
    fn step(&mut self) -> Result<bool, Fault> {
        match self.number::<1>()? as u8 {
            0x80 => {
                self.take(1)?;
            }
            b'.' => return Ok(true),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => {
                self.pop()?;
            }
            b'N' | 0x88 | 0x89 => self.push(Object::Nothing),
            // No number in a tensor's description is a float.
            b'G' => {
                self.take(8)?;
                self.push(Object::Nothing);
            }
            b'K' => {
                let number = self.number::<1>()?;
                self.push(Object::Number(number as i64));
            }
            b'M' => {
                let number = self.number::<2>()?;
                self.push(Object::Number(number as i64));
            }
            b'J' => {
                let number = self.number::<4>()? as u32 as i32;
                self.push(Object::Number(number.into()));
            }
            0x8a => {
                let length = self.number::<1>()? as usize;
                let bytes = self.take(length)?;
                let negative = bytes.last().is_some_and(|byte| *byte > 127);
                let start = if negative { -1 } else { 0 };
                // Longer numbers, such as the one at the start of old files, lose their upper bytes.
                let bytes = bytes.iter().take(8).rev();
                let number = bytes.fold(start, |sum: i64, byte| (sum << 8) | i64::from(*byte));
                self.push(Object::Number(number));
            }
            b'X' | b'T' => {
                let length = self.number::<4>()? as usize;
                self.text(length)?;
            }
            b'U' | 0x8c => {
                let length = self.number::<1>()? as usize;
                self.text(length)?;
            }
            b')' => self.push(Object::Tuple(Vec::new())),
            b']' => self.push(Object::List(Vec::new())),
            b'}' => self.push(Object::Dict(Vec::new())),
            b't' => {
                let items = self.marked()?;
                self.push(Object::Tuple(items));
            }
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b'a' => {
                let item = self.pop()?;
                self.extend(vec![item])?;
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.extend(vec![key, value])?;
            }
            b'e' | b'u' => {
                let items = self.marked()?;
                self.extend(items)?;
            }
            b'q' => {
                let key = self.number::<1>()?;
                self.remember(key as u32)?;
            }
            b'r' => {
                let key = self.number::<4>()?;
                self.remember(key as u32)?;
            }
            b'h' => {
                let key = self.number::<1>()?;
                self.recall(key as u32)?;
            }
            b'j' => {
                let key = self.number::<4>()?;
                self.recall(key as u32)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Object::Function(function(&module, &name)?));
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.push(storage);
            }
            b'R' => {
                let (arguments, called) = (self.pop()?, self.pop()?);
                let object = self.rebuilt(called, arguments)?;
                self.push(object);
            }
            // Attributes of a dictionary do not describe its tensors.
            b'b' => {
                self.pop()?;
                let id = self.pop()?;
                if !matches!(self.objects[id], Object::Dict(_)) {
                    return Err(Fault::Refused("an object's own state".into()));
                }
                self.stack.push(id);
            }
            other => return malformed(format!("a pickle's operation {other:#04x}")),
        }
        Ok(false)
    }

    fn items(&self, id: Id) -> Result<&[Id], Fault> {
        match &self.objects[id] {
            Object::Tuple(items) | Object::List(items) => Ok(items),
            _ => malformed("a pickle where a tuple is wanted"),
        }
    }

    fn count(&self, id: Id) -> Result<usize, Fault> {
        match self.objects[id] {
            Object::Number(number) if number >= 0 => Ok(number as usize),
            _ => malformed("a pickle where a size is wanted"),
        }
    }

    fn counts(&self, id: Id) -> Result<Vec<usize>, Fault> {
        let items = self.items(id)?;
        if items.len() > MOST_DIMENSIONS {
            return malformed(format!("a tensor of {} dimensions", items.len()));
        }
        items.iter().map(|&item| self.count(item)).collect()
    }

    /// Parses `("storage", class, key, device, values)`; older files add a view, which is `None`.
    fn storage(&self, id: Id) -> Result<Object, Fault> {
        let items = self.items(id)?;
        let kinds = items.iter().map(|&item| &self.objects[item]);
        match kinds.collect::<Vec<_>>()[..] {
            [
                Object::Text(kind),
                Object::Function(Function::Storage(dtype)),
                Object::Text(key),
                _,
                Object::Number(_),
            ]
            | [
                Object::Text(kind),
                Object::Function(Function::Storage(dtype)),
                Object::Text(key),
                _,
                Object::Number(_),
                Object::Nothing,
            ] if kind == "storage" && key.len() <= MOST_KEY_BYTES => {
                Ok(Object::Storage(*dtype, key.clone()))
            }
            _ => malformed("a reference to something that is no plain storage"),
        }
    }

    fn rebuilt(&self, called: Id, arguments: Id) -> Result<Object, Fault> {
        let Object::Function(function) = self.objects[called] else {
            return malformed("a pickle that calls what is no function");
        };
        let items = self.items(arguments)?;
        match (function, items) {
            (Function::OrderedDict, []) => Ok(Object::Dict(Vec::new())),
            // Copy only small objects: a pickle could request millions of copies.
            (Function::Size, &[sizes]) if self.items(sizes)?.len() <= MOST_DIMENSIONS => {
                Ok(Object::Tuple(self.items(sizes)?.to_vec()))
            }
            (Function::RebuildParameter, &[tensor, ..]) => match &self.objects[tensor] {
                tensor @ Object::Tensor(_) => Ok(tensor.clone()),
                _ => malformed("a parameter that is no tensor"),
            },
            (Function::RebuildTensor, &[storage, offset, shape, strides, ..]) => {
                let Object::Storage(dtype, key) = &self.objects[storage] else {
                    return malformed("a tensor without a storage");
                };
                let (shape, strides) = (self.counts(shape)?, self.counts(strides)?);
                if shape.len() != strides.len() {
                    return malformed("a tensor whose strides do not fit its shape");
                }
                Ok(Object::Tensor(Stored {
                    dtype: *dtype,
                    storage: key.clone(),
                    offset: self.count(offset)?,
                    shape,
                    strides,
                }))
            }
            _ => malformed("a call with the wrong arguments"),
        }
    }
}

/// Returns the function or class of this name if tensors need it.
fn function(module: &str, name: &str) -> Result<Function, Fault> {
    Ok(match (module, name) {
        ("collections", "OrderedDict") => Function::OrderedDict,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Function::RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Function::RebuildParameter,
        ("torch", "Size") => Function::Size,
        ("torch" | "torch.cuda", "FloatStorage") => Function::Storage(Dtype::F32),
        ("torch" | "torch.cuda", "DoubleStorage") => Function::Storage(Dtype::F64),
        ("torch" | "torch.cuda", "HalfStorage") => Function::Storage(Dtype::F16),
        ("torch" | "torch.cuda", "BFloat16Storage") => Function::Storage(Dtype::Bf16),
        ("torch" | "torch.cuda", "LongStorage") => Function::Storage(Dtype::Other(8)),
        ("torch" | "torch.cuda", "IntStorage") => Function::Storage(Dtype::Other(4)),
        ("torch" | "torch.cuda", "ByteStorage" | "BoolStorage" | "CharStorage") => {
            Function::Storage(Dtype::Other(1))
        }
        _ => return Err(Fault::Refused(format!("{module}.{name}"))),
    })
}
