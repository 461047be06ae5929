//! Ends everything at once.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use send_wrapper::SendWrapper;

use super::{Lost, link::Link};

/// Closes every connection at once; for the page's `pagehide`, where nothing can be awaited.
#[derive(Debug, Clone)]
pub struct Closer {
    links: SendWrapper<Rc<RefCell<Vec<Weak<Link>>>>>,
}

impl Closer {
    pub(in crate::webrtc) fn new() -> Self {
        Self { links: SendWrapper::new(Rc::default()) }
    }

    /// Closes all, those being negotiated too. The other sides notice at once, where a page that
    /// just goes away is noticed after 17 s.
    pub fn close_all(&self) {
        let links = std::mem::take(&mut *self.links.borrow_mut());
        links.iter().filter_map(Weak::upgrade).for_each(|link| link.lose(Lost::Closed));
    }

    /// How many connections are not over.
    #[cfg(test)]
    pub(crate) fn open(&self) -> usize {
        let links = self.links.borrow();
        links.iter().filter_map(Weak::upgrade).filter(|link| link.is_alive()).count()
    }

    pub(super) fn register(&self, link: &Rc<Link>) {
        let mut links = self.links.borrow_mut();
        links.retain(|link| link.strong_count() > 0);
        links.push(Rc::downgrade(link));
    }
}
