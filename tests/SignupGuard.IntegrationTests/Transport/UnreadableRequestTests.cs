using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.IntegrationTests.Screening;
using SignupGuard.V1;

namespace SignupGuard.IntegrationTests.Transport;

/// <summary>Bytes that are no message of the contract, sent as gRPC by a client that doesn't care.</summary>
public sealed class UnreadableRequestTests
{
    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(bytes => bytes, bytes => bytes);
    private static readonly Method<byte[], byte[]> Unary = new(MethodType.Unary, "signupguard.v1.ScreeningService", "ScreenSignup", Bytes, Bytes);
    private static readonly Method<byte[], byte[]> Duplex = new(MethodType.DuplexStreaming, "signupguard.v1.ScreeningService", "ScreenSignups", Bytes, Bytes);

    private TestDatabase _database = null!;
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _database = await TestPostgres.CreateDatabaseAsync();
        _service = await TestService.StartAsync(_database);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _service.DisposeAsync();
        await _database.DisposeAsync();
    }

    private static IEnumerable<TestCaseData> Broken()
    {
        yield return new TestCaseData((byte[])[0x0a, 0x04, 0x0a, 0x02, 0xc3, 0x28]).SetArgDisplayNames("invalid UTF-8");
        yield return new TestCaseData((byte[])[0x0a, 0x05, 0x0a, 0x03, 0xed, 0xa0, 0x80]).SetArgDisplayNames("half of a surrogate pair");
        yield return new TestCaseData((byte[])[0x0a, 0x7f, 0x0a]).SetArgDisplayNames("cut off");
        yield return new TestCaseData((byte[])[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).SetArgDisplayNames("endless number");
        yield return new TestCaseData((byte[])[0x07]).SetArgDisplayNames("no wire type");
    }

    [TestCaseSource(nameof(Broken))]
    public async Task Bytes_that_are_no_message_are_an_invalid_argument(byte[] request)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(() => _service.Channel.CreateCallInvoker().AsyncUnaryCall(Unary, null, new CallOptions(), request).ResponseAsync);
        Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.InvalidArgument), refused.Status.Detail);
        Assert.That(refused.GetRpcStatus()!.GetDetail<ErrorInfo>().Reason, Is.EqualTo("UNREADABLE_REQUEST"));
    }

    [TestCaseSource(nameof(Broken))]
    public async Task Such_bytes_end_a_stream_with_an_invalid_argument_after_the_answers_before_them(byte[] request)
    {
        using var call = _service.Channel.CreateCallInvoker().AsyncDuplexStreamingCall(Duplex, null, new CallOptions());
        await call.RequestStream.WriteAsync(new ScreenSignupsRequest { Signup = TestSignups.New("before") }.ToByteArray());
        Assert.That(await call.ResponseStream.MoveNext(), Is.True);
        await call.RequestStream.WriteAsync(request);
        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext())
            {
            }
        });
        Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.InvalidArgument), refused.Status.Detail);
    }

    [Test]
    public async Task A_message_beyond_the_bound_is_refused_by_size_and_the_service_goes_on()
    {
        var signup = TestSignups.New();
        signup.Subject = new Subject { DeclaredUse = new string('x', 3 * 1024 * 1024) };
        var refused = await Assert.ThrowsAsync<RpcException>(() => _service.ScreenAsync(signup));
        Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.ResourceExhausted), refused.Status.Detail);
        Assert.That((await _service.ScreenAsync(TestSignups.New())).DecisionId, Is.Not.Empty);
    }

    [Test]
    public async Task Random_bytes_never_crash_the_service()
    {
        var random = new Random(20261124);
        var valid = new ScreenSignupRequest { Signup = TestSignups.New() }.ToByteArray();
        for (var i = 0; i < 300; i++)
        {
            // Half of them pure noise, half a valid message with some bytes changed.
            var bytes = i % 2 == 0 ? new byte[random.Next(200)] : valid.ToArray();
            if (i % 2 == 0) random.NextBytes(bytes);
            else for (var k = 0; k < 3; k++) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                await _service.Channel.CreateCallInvoker().AsyncUnaryCall(Unary, null, new CallOptions(), bytes).ResponseAsync;
            }
            catch (RpcException refused)
            {
                Assert.That(refused.StatusCode, Is.AnyOf(StatusCode.InvalidArgument, StatusCode.AlreadyExists), Convert.ToHexString(bytes));
            }
        }
    }
}
