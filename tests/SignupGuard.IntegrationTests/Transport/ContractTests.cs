using System.Reflection;
using SignupGuard.IntegrationTests.Postgres;
using SignupGuard.Service.Transport;
using SignupGuard.Service.Transport.Validation;

namespace SignupGuard.IntegrationTests.Transport;

public sealed class ContractTests
{
    [TestCase(typeof(ViolationCode))]
    [TestCase(typeof(Refusal))]
    [TestCase(typeof(PolicyRefusals))]
    [TestCase(typeof(ReviewRefusals))]
    public void Every_code_a_caller_may_get_is_named_in_the_contract(Type codes)
    {
        var contract = string.Concat(Directory.GetFiles(Path.Combine(Repository.Root(), "protos", "signupguard", "v1"), "*.proto").Select(File.ReadAllText));
        var constants = codes.GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field is { IsLiteral: true } && field.Name != nameof(Refusal.Domain)).Select(field => (string)field.GetValue(null)!).ToList();
        Assert.That(constants, Has.Count.GreaterThan(5));
        foreach (var constant in constants) Assert.That(contract, Does.Contain(constant));
    }
}
