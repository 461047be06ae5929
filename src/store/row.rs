//! Rows as bytes: fixed-width numbers in big-endian order, read back with every bound checked.

use bytes::{Buf, Bytes};

use super::{StoreError, backend::Table};
use crate::platform::Payload;

/// Reads a row from its front.
pub(super) struct Row {
    table: Table,
    rest: Bytes,
}

impl Row {
    pub fn new(table: Table, value: &Payload) -> Self {
        Self { table, rest: value.to_bytes() }
    }

    pub fn u64(&mut self) -> Result<u64, StoreError> {
        let table = self.table.name();
        self.rest.try_get_u64().map_err(|_| StoreError::Row { table })
    }

    pub fn u8(&mut self) -> Result<u8, StoreError> {
        let table = self.table.name();
        self.rest.try_get_u8().map_err(|_| StoreError::Row { table })
    }

    /// What is left.
    pub fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.rest)
    }

    /// Says that the row ends here.
    pub fn end(self) -> Result<(), StoreError> {
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(self.damaged()),
        }
    }

    pub fn damaged(&self) -> StoreError {
        StoreError::Row { table: self.table.name() }
    }
}

/// A row of numbers.
pub(super) fn numbers<const N: usize>(numbers: [u64; N]) -> Payload {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>().into()
}

/// Reads back a row of numbers.
pub(super) fn read_numbers<const N: usize>(
    table: Table,
    value: &Payload,
) -> Result<[u64; N], StoreError> {
    let mut row = Row::new(table, value);
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = row.u64()?;
    }
    row.end()?;
    Ok(numbers)
}
