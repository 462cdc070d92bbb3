using CsCheck;
using SignupGuard.Core.Signals;
using SignupGuard.Core.Signups;

namespace SignupGuard.Core.Tests.Signals;

public sealed class PersonNameTests
{
    [TestCase("Anna", "Jones", "anna.jones", true)]
    [TestCase("Anna", "Jones", "ajones84", true)]
    [TestCase("Anna", "Jones", "sunflower", false)]
    [TestCase("José", "Núñez", "jose.nunez", true)]
    [TestCase("Jürgen", "Müller", "j.mueller", true)]
    [TestCase("Jürgen", "Müller", "j.muller", true)]
    [TestCase("Łukasz", "Wójcik", "lwojcik", true)]
    [TestCase("Seán", "O'Brien", "obrien", true)]
    [TestCase("Jean-Luc", "Le Blanc", "j.bl", false)]
    [TestCase("Li", "Wu", "sunflower", null)]
    [TestCase("李", "王小明", "sunflower", null)]
    [TestCase("Мария", "Иванова", "мария.и", true)]
    public void The_local_part_holds_the_name_however_it_is_written(string given, string family, string local, bool? holds) =>
        Assert.That(PersonName.InLocalPart(new Subject { GivenName = given, FamilyName = family }, local), Is.EqualTo(holds));

    [Test]
    public void Without_a_name_nothing_is_told() => Assert.That(PersonName.InLocalPart(Subject.None, "anna"), Is.Null);

    [TestCase(null, "Jones", "ANNA JONES", true)]
    [TestCase(null, "Jones", "ANNA SMITH", false)]
    [TestCase("Anna Jones", null, "JONES A", true)]
    [TestCase(null, "de la Cruz", "JUAN DE LA ROSA", false)]
    [TestCase(null, "de la Cruz", "JUAN DELACRUZ CRUZ", true)]
    [TestCase(null, "Li", "WEI LI", true)]
    [TestCase(null, "Núñez", "JOSE NUNEZ", true)]
    [TestCase(null, "王", "WANG XIAOMING", null)]
    [TestCase(null, null, "ANNA JONES", null)]
    [TestCase(null, "Jones", null, null)]
    [TestCase(null, "Jones", " ", null)]
    public void A_card_holder_is_compared_by_family_name(string? full, string? family, string? holder, bool? matches) =>
        Assert.That(PersonName.HolderMatches(new Subject { FullName = full, FamilyName = family }, holder), Is.EqualTo(matches));

    [Test]
    public void Folding_settles_and_never_fails() => Gen.String[0, 60].Sample(name => PersonName.Fold(PersonName.Fold(name)) is var twice && PersonName.Fold(twice) == twice);
}
