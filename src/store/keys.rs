//! Identities: one secret for each slot, one slot for each tab.
//!
//! The first tab takes slot 0, the next the lowest that is free. Two tabs never have the same
//! one, even when they start together: a slot is a lock of the browser, which ends with its tab
//! in whatever way that ends. A page by plain http has no locks; there a slot is a lease in the
//! database, taken and renewed in transactions. A tab that goes away leaves word, so that its
//! lease is free at once; one that crashed did not, and its lease is free after [`LEASE`]. A tab
//! that slept for longer, or came back, may find that it lost its slot ([`Seat::lost`]).

use std::{
    any::Any,
    cell::{Cell, RefCell},
    future::Future,
    rc::{Rc, Weak},
    time::Duration,
};

use futures::{
    FutureExt as _,
    channel::oneshot,
    future::{self, Either, Shared},
};

use super::{
    Clock, StoreError,
    backend::{Access, Ask, Backend, Locked, Table},
    row::{numbers, read_numbers},
};
use crate::platform;

/// The most tabs at once. More would mean a link that opens tabs in a loop.
pub const SLOTS: u32 = 64;
/// How long a lease holds. Browsers let the timers of a hidden tab fire once a minute; this is
/// two of those and a half.
pub const LEASE: Duration = Duration::from_secs(150);
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(20);

/// Who this tab is.
pub struct Identity {
    /// The seed of an Ed25519 key.
    pub secret: [u8; 32],
    /// Which of the store's identities it is: 0 for the first tab.
    pub slot: u32,
    /// Holds the slot. Drop it only when the peer has stopped.
    pub seat: Seat,
}

/// A slot that no other tab has for as long as this lives.
pub struct Seat {
    _hold: Hold,
    lost: Option<Shared<oneshot::Receiver<()>>>,
}

impl Seat {
    /// Resolves when the slot was lost, so that the peer must stop. A lock is never lost; a lease
    /// is when its tab slept for longer than [`LEASE`] and another took it.
    pub fn lost(&self) -> impl Future<Output = ()> + 'static {
        match self.lost.clone() {
            Some(lost) => Either::Left(lost.map(drop)),
            None => Either::Right(future::pending()),
        }
    }
}

enum Hold {
    Lock { _lock: Box<dyn Any> },
    Lease { _lease: Rc<Lease> },
}

/// Takes the lowest free slot, and makes its secret when it has none yet.
pub async fn take(backend: &Rc<dyn Backend>, clock: &Clock) -> Result<Identity, StoreError> {
    let (slot, seat) = seat(backend, clock).await?;
    let secret = match secret(backend.as_ref(), slot).await? {
        Some(secret) => secret,
        None => make_secret(backend.as_ref(), slot).await?,
    };
    Ok(Identity { secret, slot, seat })
}

async fn seat(backend: &Rc<dyn Backend>, clock: &Clock) -> Result<(u32, Seat), StoreError> {
    for slot in 0..SLOTS {
        match backend.try_lock(&format!("identity/{slot}")).await {
            Locked::Ours(lock) => {
                return Ok((slot, Seat { _hold: Hold::Lock { _lock: lock }, lost: None }));
            }
            Locked::Taken => {}
            Locked::NoLocks => {
                let (lease, lost) = Lease::take(Rc::clone(backend), Rc::clone(clock)).await?;
                let slot = lease.slot;
                let seat = Seat { _hold: Hold::Lease { _lease: lease }, lost: Some(lost.shared()) };
                return Ok((slot, seat));
            }
        }
    }
    Err(StoreError::NoSlot { slots: SLOTS })
}

async fn secret(backend: &dyn Backend, slot: u32) -> Result<Option<[u8; 32]>, StoreError> {
    let transaction = backend.begin(&[Table::Keys], Access::Read).await?;
    let found = transaction.look(vec![Ask::Value(Table::Keys, key(slot))]).await?;
    drop(transaction);
    let Some(Some(sealed)) = found.first() else { return Ok(None) };
    let opened = backend.unseal(&sealed.to_bytes()).await;
    opened.map(Some).map_err(|error| StoreError::Key {
        name: backend.name().to_owned(),
        slot,
        reason: error.to_string(),
    })
}

/// Makes a secret; it is on the disk when this returns, so that no peer id is ever shown that
/// a crash could take back.
async fn make_secret(backend: &dyn Backend, slot: u32) -> Result<[u8; 32], StoreError> {
    let mut secret = [0; 32];
    platform::random_bytes(&mut secret);
    let sealed = backend.seal(&secret).await?;
    let transaction = backend.begin(&[Table::Keys], Access::Strict).await?;
    transaction.put(Table::Keys, &key(slot), sealed.into())?;
    transaction.commit().await?;
    Ok(secret)
}

/// A slot that is ours until a time, in the database.
struct Lease {
    backend: Rc<dyn Backend>,
    clock: Clock,
    slot: u32,
    owner: Owner,
    /// By the wall clock, in milliseconds.
    expires: Cell<u64>,
    /// Resolves [`Seat::lost`].
    tell: RefCell<Option<oneshot::Sender<()>>>,
    /// What leaves word when the tab goes away.
    farewell: RefCell<Option<Box<dyn Any>>>,
}

/// Random, one for each lease.
type Owner = [u64; 2];

impl Lease {
    async fn take(
        backend: Rc<dyn Backend>,
        clock: Clock,
    ) -> Result<(Rc<Self>, oneshot::Receiver<()>), StoreError> {
        let mut bytes = [0; 16];
        platform::random_bytes(&mut bytes);
        let owner = u128::from_be_bytes(bytes);
        let owner = [(owner >> 64) as u64, owner as u64];
        let expires = Cell::new(clock() + LEASE.as_millis() as u64);
        let slot = claim(backend.as_ref(), owner, clock()).await?;
        let (tell, lost) = oneshot::channel();
        let (tell, farewell) = (RefCell::new(Some(tell)), RefCell::default());
        let lease = Rc::new(Self { backend, clock, slot, owner, expires, tell, farewell });
        lease.leave_word();
        platform::spawn(Self::keep(Rc::downgrade(&lease)));
        Ok((lease, lost))
    }

    /// Renews it for as long as it is held and ours.
    async fn keep(lease: Weak<Self>) {
        loop {
            platform::sleep(RENEW).await;
            match lease.upgrade() {
                Some(lease) if lease.renew().await => {}
                _ => return,
            }
        }
    }

    fn leave_word(self: &Rc<Self>) {
        let lease = Rc::downgrade(self);
        let on_return = Box::new(move || {
            if let Some(lease) = lease.upgrade() {
                platform::spawn(async move {
                    lease.renew().await;
                });
            }
        });
        let word = word(self.owner);
        let farewell = self.backend.leave_word(&place(self.slot), &word, on_return);
        *self.farewell.borrow_mut() = Some(farewell);
    }

    /// Renews it; false when it is no longer ours, or may not be, which is told.
    async fn renew(&self) -> bool {
        // First: whoever claims after this sees a lease that nobody left.
        if self.backend.left(&place(self.slot)).is_some_and(|left| left == word(self.owner)) {
            self.backend.forget_word(&place(self.slot));
        }
        let now = (self.clock)();
        let ours = match extend(self.backend.as_ref(), self.slot, self.owner, now).await {
            Ok(true) => {
                self.expires.set(now + LEASE.as_millis() as u64);
                true
            }
            Ok(false) => false,
            Err(_) => now < self.expires.get(),
        };
        if !ours && let Some(tell) = self.tell.borrow_mut().take() {
            // Nobody listens when the seat is gone already.
            let _ = tell.send(());
        }
        ours
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.farewell.take());
        let (backend, slot, owner) = (Rc::clone(&self.backend), self.slot, self.owner);
        platform::spawn(async move {
            if let Err(error) = release(backend.as_ref(), slot, owner).await {
                tracing::debug!(%error, slot, "a lease stays until it expires");
            }
        });
    }
}

/// Takes the lowest slot whose lease is free, left or expired.
///
/// A lease that ends later than any could is from before the clock was set back, and counts as
/// one that was taken just now.
async fn claim(backend: &dyn Backend, owner: Owner, now: u64) -> Result<u32, StoreError> {
    let until = now + LEASE.as_millis() as u64;
    let transaction = backend.begin(&[Table::Leases], Access::Strict).await?;
    let asks = (0..SLOTS).map(|slot| Ask::Value(Table::Leases, key(slot))).collect();
    let found = transaction.look(asks).await?;
    for (slot, row) in (0..).zip(found) {
        let lease = row.as_ref().and_then(|row| read_numbers(Table::Leases, row).ok());
        let free = match lease {
            Some([high, low, expires]) => {
                let left = backend.left(&place(slot)).is_some_and(|left| left == word([high, low]));
                if expires > until && !left {
                    transaction.put(Table::Leases, &key(slot), numbers([high, low, until]))?;
                }
                left || expires <= now
            }
            None => true,
        };
        if free {
            transaction.put(Table::Leases, &key(slot), numbers([owner[0], owner[1], until]))?;
            transaction.commit().await?;
            backend.forget_word(&place(slot));
            return Ok(slot);
        }
    }
    Err(StoreError::NoSlot { slots: SLOTS })
}

/// Gives a lease more time; false when it is another's.
async fn extend(
    backend: &dyn Backend,
    slot: u32,
    owner: Owner,
    now: u64,
) -> Result<bool, StoreError> {
    let transaction = backend.begin(&[Table::Leases], Access::Relaxed).await?;
    let found = transaction.look(vec![Ask::Value(Table::Leases, key(slot))]).await?;
    if !is_ours(found.first(), owner)? {
        return Ok(false);
    }
    let until = now + LEASE.as_millis() as u64;
    transaction.put(Table::Leases, &key(slot), numbers([owner[0], owner[1], until]))?;
    transaction.commit().await?;
    Ok(true)
}

/// Gives a lease back, if it is still ours.
async fn release(backend: &dyn Backend, slot: u32, owner: Owner) -> Result<(), StoreError> {
    let transaction = backend.begin(&[Table::Leases], Access::Relaxed).await?;
    let found = transaction.look(vec![Ask::Value(Table::Leases, key(slot))]).await?;
    if is_ours(found.first(), owner)? {
        transaction.delete(Table::Leases, &key(slot))?;
    }
    transaction.commit().await
}

fn is_ours(row: Option<&Option<platform::Payload>>, owner: Owner) -> Result<bool, StoreError> {
    let Some(Some(row)) = row else { return Ok(false) };
    read_numbers(Table::Leases, row).map(|[high, low, _]| [high, low] == owner)
}

/// Where the word of a tab that left is found.
fn place(slot: u32) -> String {
    format!("left/{slot}")
}

/// What it says: whose lease it was.
fn word(owner: Owner) -> String {
    format!("{:016x}{:016x}", owner[0], owner[1])
}

fn key(slot: u32) -> Vec<u8> {
    slot.to_be_bytes().to_vec()
}
