//! At most so many connections from one address.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::IpAddr,
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, dummy,
    },
};

/// Refuses a connection from an address that has its share already. Loopback has no limit.
#[derive(Debug)]
pub struct PerIp {
    limit: u32,
    /// Established connections; no address with none.
    open: HashMap<IpAddr, u32>,
}

/// The refusal.
#[derive(Debug, thiserror::Error)]
#[error("{0} has {1} connections already")]
pub struct TooMany(IpAddr, u32);

impl PerIp {
    /// Allows `limit` connections from each address.
    pub fn new(limit: u32) -> Self {
        Self { limit, open: HashMap::new() }
    }

    fn check(&self, remote: &Multiaddr) -> Result<(), ConnectionDenied> {
        match counted(remote) {
            Some(ip) if self.open.get(&ip).is_some_and(|open| *open >= self.limit) => {
                Err(ConnectionDenied::new(TooMany(ip, self.limit)))
            }
            _ => Ok(()),
        }
    }

    fn opened(&mut self, remote: &Multiaddr) {
        if let Some(ip) = counted(remote) {
            *self.open.entry(ip).or_default() += 1;
        }
    }

    fn closed(&mut self, remote: &Multiaddr) {
        let Some(ip) = counted(remote) else { return };
        if let Some(open) = self.open.get_mut(&ip) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&ip);
            }
        }
    }
}

/// The address that a connection counts for: IPv6 by the /64 that one household has.
fn counted(remote: &Multiaddr) -> Option<IpAddr> {
    let ip = match remote.iter().next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => ip.to_canonical(),
        _ => return None,
    };
    if ip.is_loopback() {
        return None;
    }
    Some(match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
    })
}

impl NetworkBehaviour for PerIp {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.check(remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(remote)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(e) if e.endpoint.is_listener() => {
                self.opened(e.endpoint.get_remote_address());
            }
            FromSwarm::ConnectionClosed(e) if e.endpoint.is_listener() => {
                self.closed(e.endpoint.get_remote_address());
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let mut limit = PerIp::new(2);
        let (one, other) = (addr("/ip4/192.0.2.1/tcp/1000/ws"), addr("/ip4/192.0.2.2/tcp/1000/ws"));
        limit.opened(&one);
        limit.opened(&addr("/ip4/192.0.2.1/tcp/1001/ws"));
        assert!(limit.check(&one).is_err() && limit.check(&other).is_ok());
        limit.closed(&one);
        assert!(limit.check(&one).is_ok());
        limit.closed(&one);
        assert!(limit.open.is_empty());
    }

    #[test]
    fn a_whole_ipv6_network_counts_as_one_and_loopback_not_at_all() {
        let mut limit = PerIp::new(1);
        limit.opened(&addr("/ip6/2001:db8::1/tcp/1/ws"));
        assert!(limit.check(&addr("/ip6/2001:db8::2/tcp/1/ws")).is_err());
        assert!(limit.check(&addr("/ip6/2001:db8:0:1::1/tcp/1/ws")).is_ok());
        for loopback in
            ["/ip4/127.0.0.1/tcp/1/ws", "/ip6/::1/tcp/1/ws", "/ip6/::ffff:127.0.0.1/tcp/1"]
        {
            limit.opened(&addr(loopback));
            assert!(limit.check(&addr(loopback)).is_ok());
        }
    }
}
