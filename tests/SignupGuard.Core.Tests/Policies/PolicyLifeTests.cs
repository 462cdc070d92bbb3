using CsCheck;
using SignupGuard.Core.Policies;

namespace SignupGuard.Core.Tests.Policies;

public sealed class PolicyLifeTests
{
    private static readonly PolicyRequirements TwoPeople = new(SecondPerson: true, RequireBacktest: false);
    private static readonly PolicyRequirements Strict = new(SecondPerson: true, RequireBacktest: true);
    private static readonly PolicyRequirements OnePerson = new(SecondPerson: false, RequireBacktest: false);

    private static PolicyLife Ok(PolicyStep step)
    {
        Assert.That(step.Refusal, Is.Null);
        return step.Life!;
    }

    [Test]
    public void A_draft_goes_live_by_two_people_and_back_by_a_rollback()
    {
        var life = PolicyLife.Begin(valid: false, "ada");
        Assert.That(life.State, Is.EqualTo(PolicyState.Draft));
        life = Ok(life.Change(valid: true, "ada"));
        Assert.That(life.State, Is.EqualTo(PolicyState.Validated));
        life = Ok(life.RecordBacktest());
        Assert.That(life.State, Is.EqualTo(PolicyState.Backtested));
        life = Ok(Ok(life.SetShadow()).RequestPublish("ada", Strict));
        Assert.That(life is { State: PolicyState.PublishRequested, Shadow: true, RequestedBy: "ada" });
        life = Ok(life.Approve("grace", valid: true, Strict));
        Assert.That(life is { State: PolicyState.Active, Shadow: false, ApprovedBy: "grace" });
        life = Ok(life.Supersede());
        Assert.That(life.State, Is.EqualTo(PolicyState.Superseded));
        Assert.That(Ok(life.Reactivate(valid: true)).State, Is.EqualTo(PolicyState.Active));
    }

    [Test]
    public void A_change_drops_backtest_shadow_and_request()
    {
        var requested = Ok(Ok(Ok(PolicyLife.Begin(true, "ada").RecordBacktest()).SetShadow()).RequestPublish("ada", Strict));
        var changed = Ok(requested.Change(valid: true, "linus"));
        Assert.That(changed, Is.EqualTo(PolicyLife.Begin(true, "linus")));
    }

    [Test]
    public void What_does_not_validate_stays_a_draft()
    {
        var draft = PolicyLife.Begin(valid: false, "ada");
        Assert.That(draft.RecordBacktest().Refusal, Is.EqualTo(PolicyStepRefusal.Invalid));
        Assert.That(draft.SetShadow().Refusal, Is.EqualTo(PolicyStepRefusal.Invalid));
        Assert.That(draft.RequestPublish("ada", OnePerson).Refusal, Is.EqualTo(PolicyStepRefusal.Invalid));
        var requested = Ok(PolicyLife.Begin(true, "ada").RequestPublish("ada", OnePerson));
        Assert.That(requested.Approve("grace", valid: false, OnePerson).Refusal, Is.EqualTo(PolicyStepRefusal.Invalid), "checked again under the lock");
    }

    [TestCase("ada", ExpectedResult = PolicyStepRefusal.SecondPersonRequired, Description = "the author of the last change")]
    [TestCase("linus", ExpectedResult = PolicyStepRefusal.SecondPersonRequired, Description = "who asked")]
    [TestCase("grace", ExpectedResult = null)]
    public PolicyStepRefusal? Only_someone_else_approves(string by) =>
        Ok(PolicyLife.Begin(true, "ada").RequestPublish("linus", TwoPeople)).Approve(by, true, TwoPeople).Refusal;

    [Test]
    public void Alone_one_approves_oneself_where_the_deployment_says_so() =>
        Assert.That(Ok(Ok(PolicyLife.Begin(true, "ada").RequestPublish("ada", OnePerson)).Approve("ada", true, OnePerson)).State, Is.EqualTo(PolicyState.Active));

    [Test]
    public void Without_its_backtest_nothing_is_asked_for_where_one_is_demanded()
    {
        Assert.That(PolicyLife.Begin(true, "ada").RequestPublish("ada", Strict).Refusal, Is.EqualTo(PolicyStepRefusal.BacktestRequired));
        var asked = Ok(PolicyLife.Begin(true, "ada").RequestPublish("ada", TwoPeople));
        Assert.That(asked.Approve("grace", true, Strict).Refusal, Is.EqualTo(PolicyStepRefusal.BacktestRequired), "demanded since it was asked for");
    }

    [Test]
    public void A_rejected_request_is_the_draft_it_was()
    {
        var draft = PolicyLife.Begin(true, "ada");
        Assert.That(Ok(Ok(draft.RequestPublish("ada", TwoPeople)).Reject()), Is.EqualTo(draft));
        var backtested = Ok(draft.RecordBacktest());
        Assert.That(Ok(Ok(backtested.RequestPublish("ada", TwoPeople)).Reject()), Is.EqualTo(backtested));
        Assert.That(draft.Reject().Refusal, Is.EqualTo(PolicyStepRefusal.State));
    }

    private static readonly Gen<Func<PolicyLife, PolicyStep>> Steps = Gen.Select(Gen.Int[0, 8], Gen.Bool, Gen.OneOf(Gen.Const("ada"), Gen.Const("grace"), Gen.Const("linus")), (step, valid, by) => (Func<PolicyLife, PolicyStep>)(life => step switch
    {
        0 => life.Change(valid, by),
        1 => life.RecordBacktest(),
        2 => life.SetShadow(),
        3 => life.ClearShadow(),
        4 => life.RequestPublish(by, Strict),
        5 => life.Reject(),
        6 => life.Approve(by, valid, Strict),
        7 => life.Supersede(),
        _ => life.Reactivate(valid),
    }));

    [Test]
    public void By_no_way_does_a_version_go_live_without_validating_backtest_and_a_second_person() =>
        Steps.Array[0, 40].Sample(steps =>
        {
            var life = PolicyLife.Begin(valid: false, "ada");
            var live = false;
            foreach (var step in steps)
            {
                var before = life;
                if (step(life) is not { Life: { } after }) continue;
                life = after;
                if (before.State == PolicyState.PublishRequested && life.State == PolicyState.Active)
                    Assert.That(life.Valid && life.Backtested && life.ApprovedBy != life.ChangedBy && life.ApprovedBy != life.RequestedBy);
                // What went live keeps its content.
                if (live) Assert.That(life.Editable, Is.False);
                live |= life.State == PolicyState.Active;
                Assert.That(life.Shadow && !life.Editable, Is.False);
                if (life.State is not PolicyState.Draft) Assert.That(life.Valid);
            }
        });
}
