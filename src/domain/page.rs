//! Pages of a list, by keyset.

/// A page of a list: which one, and how long.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// 1 to 1,000.
    pub limit: u32,
    /// After which row: the cursor of the page before.
    pub cursor: Option<Cursor>,
}

/// A place in a list that is ordered by creation, newest first: stable under inserts and deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The row id after which the page begins (UUID version 7: its order is that of creation).
    pub after: uuid::Uuid,
    /// The number of the page that begins there, from 1.
    pub page: u32,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The next page, if there is one.
    pub next: Option<Cursor>,
    /// All rows that match.
    pub total: i64,
    /// The number of this page, from 1.
    pub number: u32,
}
