using System.Net;
using CsCheck;
using SignupGuard.Core.Signals;

namespace SignupGuard.Core.Tests.Signals;

public sealed class AddressSpaceTests
{
    private static readonly Gen<IPAddress> V4 = Gen.Byte.Array[4].Select(bytes => new IPAddress(bytes));

    private static readonly Gen<IPAddress> V6 = Gen.Byte.Array[16].Select(bytes => new IPAddress(bytes));

    // First and last address of each range, and its neighbours outside.
    [TestCase("0.0.0.0", "0.255.255.255", "UNSPECIFIED_ADDRESS")]
    [TestCase("10.0.0.0", "10.255.255.255", "PRIVATE_ADDRESS")]
    [TestCase("100.64.0.0", "100.127.255.255", "SHARED_ADDRESS")]
    [TestCase("127.0.0.0", "127.255.255.255", "LOOPBACK_ADDRESS")]
    [TestCase("169.254.0.0", "169.254.255.255", "LINK_LOCAL_ADDRESS")]
    [TestCase("172.16.0.0", "172.31.255.255", "PRIVATE_ADDRESS")]
    [TestCase("192.0.0.0", "192.0.0.255", "SPECIAL_PURPOSE_ADDRESS")]
    [TestCase("192.0.2.0", "192.0.2.255", "DOCUMENTATION_ADDRESS")]
    [TestCase("192.31.196.0", "192.31.196.255", "SPECIAL_PURPOSE_ADDRESS")]
    [TestCase("192.52.193.0", "192.52.193.255", "SPECIAL_PURPOSE_ADDRESS")]
    [TestCase("192.88.99.0", "192.88.99.255", "TRANSITION_ADDRESS")]
    [TestCase("192.168.0.0", "192.168.255.255", "PRIVATE_ADDRESS")]
    [TestCase("192.175.48.0", "192.175.48.255", "SPECIAL_PURPOSE_ADDRESS")]
    [TestCase("198.18.0.0", "198.19.255.255", "BENCHMARKING_ADDRESS")]
    [TestCase("198.51.100.0", "198.51.100.255", "DOCUMENTATION_ADDRESS")]
    [TestCase("203.0.113.0", "203.0.113.255", "DOCUMENTATION_ADDRESS")]
    [TestCase("224.0.0.0", "239.255.255.255", "MULTICAST_ADDRESS")]
    [TestCase("240.0.0.0", "255.255.255.255", "RESERVED_ADDRESS")]
    [TestCase("::", "::", "UNSPECIFIED_ADDRESS")]
    [TestCase("::1", "::1", "LOOPBACK_ADDRESS")]
    [TestCase("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "PRIVATE_ADDRESS")]
    [TestCase("100::", "100::ffff:ffff:ffff:ffff", "SPECIAL_PURPOSE_ADDRESS")]
    [TestCase("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "TRANSITION_ADDRESS")]
    [TestCase("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "BENCHMARKING_ADDRESS")]
    [TestCase("2001:20::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", "SPECIAL_PURPOSE_ADDRESS")]
    [TestCase("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "DOCUMENTATION_ADDRESS")]
    [TestCase("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "TRANSITION_ADDRESS")]
    [TestCase("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "SPECIAL_PURPOSE_ADDRESS")]
    [TestCase("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "DOCUMENTATION_ADDRESS")]
    [TestCase("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "SPECIAL_PURPOSE_ADDRESS")]
    [TestCase("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "PRIVATE_ADDRESS")]
    [TestCase("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "LINK_LOCAL_ADDRESS")]
    [TestCase("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "MULTICAST_ADDRESS")]
    [TestCase("4000::", "4000::1", "RESERVED_ADDRESS")]
    [TestCase("::7f00:1", "::7f00:1", "RESERVED_ADDRESS")]
    public void Special_purpose_ranges_are_told_from_their_first_to_their_last_address(string first, string last, string code)
    {
        Assert.That(AddressSpace.SpecialPurpose(IPAddress.Parse(first)), Is.EqualTo(code));
        Assert.That(AddressSpace.SpecialPurpose(IPAddress.Parse(last)), Is.EqualTo(code));
        Assert.That(AddressSpace.Codes, Does.Contain(code).Or.EquivalentTo(AddressSpace.Codes.Where(_ => code == "RESERVED_ADDRESS")));
    }

    [TestCase("1.0.0.0")]
    [TestCase("9.255.255.255")]
    [TestCase("11.0.0.0")]
    [TestCase("100.63.255.255")]
    [TestCase("100.128.0.0")]
    [TestCase("172.15.255.255")]
    [TestCase("172.32.0.0")]
    [TestCase("192.0.1.0")]
    [TestCase("198.17.255.255")]
    [TestCase("198.20.0.0")]
    [TestCase("223.255.255.255")]
    [TestCase("2001:200::")]
    [TestCase("2001:db9::")]
    [TestCase("2003::")]
    [TestCase("2a02:810a::1")]
    public void Neighbours_of_special_ranges_are_ordinary(string address) =>
        Assert.That(AddressSpace.SpecialPurpose(IPAddress.Parse(address)), Is.Null);

    [TestCase("::ffff:93.184.215.14", "93.184.215.14")]
    [TestCase("64:ff9b::5db8:d70e", "93.184.215.14")]
    [TestCase("2a02::1", "2a02::1")]
    [TestCase("93.184.215.14", "93.184.215.14")]
    public void Wrapped_ipv4_is_unwrapped(string address, string plain) =>
        Assert.That(AddressSpace.Unwrap(IPAddress.Parse(address)), Is.EqualTo(IPAddress.Parse(plain)));

    [Test]
    public void Mapping_and_unwrapping_give_the_address_back() => V4.Sample(address => AddressSpace.Unwrap(address.MapToIPv6()).Equals(address));

    [Test]
    public void Unwrapping_settles() => V6.Sample(address => AddressSpace.Unwrap(AddressSpace.Unwrap(address)).Equals(AddressSpace.Unwrap(address)));

    [Test]
    public void Every_address_is_in_its_own_net_and_line() =>
        Gen.OneOf(V4, V6).Sample(address =>
        {
            var net = IPNetwork.Parse(AddressSpace.Net(address));
            var v4 = address.GetAddressBytes().Length == 4;
            var line = v4 ? new IPNetwork(IPAddress.Parse(AddressSpace.Line(address)), 32) : IPNetwork.Parse(AddressSpace.Line(address));
            return net.Contains(address) && line.Contains(address) && net.PrefixLength == (v4 ? 24 : 48) && line.PrefixLength == (v4 ? 32 : 64);
        });

    [TestCase("93.184.215.14", "93.184.215.0/24", "93.184.215.14")]
    [TestCase("2a02:810a:1:2:3:4:5:6", "2a02:810a:1::/48", "2a02:810a:1:2::/64")]
    [TestCase("fe80::1%3", "fe80::/48", "fe80::/64")]
    public void Nets_and_lines_are_written_in_one_way(string address, string net, string line)
    {
        var parsed = IPAddress.Parse(address);
        Assert.That((AddressSpace.Net(parsed), AddressSpace.Line(parsed)), Is.EqualTo((net, line)));
    }
}
