//! Who has a CID, from every source that there is: for now the DHT.

use crate::net::{Handle, Provider};
use avocet_dag::Cid;
use futures::Stream;

/// Asks every source once; the stream ends when all have answered. Dropping it ends the questions.
pub async fn find(net: &Handle, cid: &Cid) -> impl Stream<Item = Provider> + use<> {
    net.find_providers(cid).await
}
