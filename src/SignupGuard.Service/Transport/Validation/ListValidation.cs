using FluentValidation;
using Google.Protobuf;
using SignupGuard.Core.Lists;
using SignupGuard.Storage.Lists;
using SignupGuard.V1;

namespace SignupGuard.Service.Transport.Validation;

/// <summary>Checks requests about lists. What their values may be is the list's type's to say: <see cref="ListValueReader"/>.</summary>
internal sealed class ListValidation(TimeProvider clock)
{
    public const int EntriesMax = 1_000;
    public const int PageSizeMax = 1_000;
    private const int EtagCharactersMax = 64;

    private readonly GetValidator _get = new();
    private readonly CreateValidator _create = new();
    private readonly UpdateValidator _update = new();
    private readonly DeleteValidator _delete = new();
    private readonly EntriesValidator _entries = new();
    private readonly AddValidator _add = new(clock);
    private readonly RemoveValidator _remove = new();
    private readonly ImportValidator _import = new();
    private readonly ExportValidator _export = new();

    public IReadOnlyList<FieldViolation> Check(GetListRequest request) => RequestValidation.Check(_get, request, "");

    public IReadOnlyList<FieldViolation> Check(CreateListRequest request) => RequestValidation.Check(_create, request, "");

    public IReadOnlyList<FieldViolation> Check(UpdateListRequest request) => RequestValidation.Check(_update, request, "");

    public IReadOnlyList<FieldViolation> Check(DeleteListRequest request) => RequestValidation.Check(_delete, request, "");

    public IReadOnlyList<FieldViolation> Check(ListEntriesRequest request) => RequestValidation.Check(_entries, request, "");

    public IReadOnlyList<FieldViolation> Check(AddEntriesRequest request) => RequestValidation.Check(_add, request, "");

    public IReadOnlyList<FieldViolation> Check(RemoveEntriesRequest request) => RequestValidation.Check(_remove, request, "");

    public IReadOnlyList<FieldViolation> Check(ImportHeader header) => RequestValidation.Check(_import, header, "header");

    public IReadOnlyList<FieldViolation> Check(ExportEntriesRequest request) => RequestValidation.Check(_export, request, "");

    /// <summary>A reason is one line for people to read.</summary>
    public static bool IsReason(string text) => text.Length <= ListStore.ReasonCharactersMax && Rules.IsCleanText(text) && !text.Any(char.IsControl);

    private static bool IsName(string name) => name.Length <= StoredList.NameCharactersMax && name[0] is >= 'a' and <= 'z' && name.All(character => character is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_');

    private static void Name<T>(IRuleBuilderInitial<T, string> rule) =>
        rule.Required().Form(IsName, ViolationCode.InvalidName, $"Lower-case letters, digits, - and _, from a letter on; at most {StoredList.NameCharactersMax}.");

    private static void Reason<T>(IRuleBuilderInitial<T, string> rule) =>
        rule.Form(IsReason, ViolationCode.InvalidFormat, $"One line of at most {ListStore.ReasonCharactersMax} characters.");

    private sealed class GetValidator : AbstractValidator<GetListRequest>
    {
        public GetValidator() => Name(RuleFor(request => request.Name));
    }

    private sealed class CreateValidator : AbstractValidator<CreateListRequest>
    {
        public CreateValidator()
        {
            Name(RuleFor(request => request.Name));
            RuleFor(request => request.Effect).Required().Known();
            RuleFor(request => request.Type).Required().Known();
            RuleFor(request => request.Description).Text(StoredList.DescriptionCharactersMax);
        }
    }

    private sealed class UpdateValidator : AbstractValidator<UpdateListRequest>
    {
        public UpdateValidator()
        {
            Name(RuleFor(request => request.Name));
            RuleFor(request => request.Etag).Required().Text(EtagCharactersMax);
            RuleFor(request => request.Effect).Known();
            RuleFor(request => request.Description).Text(StoredList.DescriptionCharactersMax);
        }
    }

    private sealed class DeleteValidator : AbstractValidator<DeleteListRequest>
    {
        public DeleteValidator()
        {
            Name(RuleFor(request => request.Name));
            RuleFor(request => request.Etag).Required().Text(EtagCharactersMax);
        }
    }

    private sealed class EntriesValidator : AbstractValidator<ListEntriesRequest>
    {
        public EntriesValidator()
        {
            Name(RuleFor(request => request.List));
            RuleFor(request => request.Value).Text(ListValueReader.CharactersMax);
            RuleFor(request => request.PageSize).Within(1, PageSizeMax, request => request.PageSize != 0);
            RuleFor(request => request.PageToken).Form(text => Guid.TryParse(text, out _), ViolationCode.InvalidToken, "A token that this service gave.");
        }
    }

    private sealed class AddValidator : AbstractValidator<AddEntriesRequest>
    {
        public AddValidator(TimeProvider clock)
        {
            Name(RuleFor(request => request.List));
            RuleFor(request => request.Entries).Required();
            RuleFor(request => request.Entries.Count).LessThanOrEqualTo(EntriesMax).WithErrorCode(ViolationCode.TooMany).WithMessage($"At most {EntriesMax:N0}; for more there is ImportEntries.").OverridePropertyName(nameof(AddEntriesRequest.Entries));
            Reason(RuleFor(request => request.Reason));
            RuleFor(request => request.ExpiresAt).Future(clock);
            RuleForEach(request => request.Entries).ChildRules(entry =>
            {
                entry.RuleFor(one => one.Value).Required().Text(ListValueReader.CharactersMax);
                Reason(entry.RuleFor(one => one.Reason));
                entry.RuleFor(one => one.ExpiresAt).Future(clock);
            }).When(request => request.Entries.Count <= EntriesMax);
        }
    }

    private sealed class RemoveValidator : AbstractValidator<RemoveEntriesRequest>
    {
        public RemoveValidator()
        {
            Name(RuleFor(request => request.List));
            RuleFor(request => request.Values).Must((request, values) => values.Count + request.EntryIds.Count <= EntriesMax).WithErrorCode(ViolationCode.TooMany).WithMessage($"At most {EntriesMax:N0} together with entry_ids.");
            RuleFor(request => request.Values).Must((request, values) => values.Count + request.EntryIds.Count > 0).WithErrorCode(ViolationCode.Required).WithMessage("Values or entry_ids.");
            RuleForEach(request => request.Values).Required().Text(ListValueReader.CharactersMax);
            RuleForEach(request => request.EntryIds).Required().Form(text => Guid.TryParse(text, out _), ViolationCode.InvalidFormat, "An entry_id that this service gave.");
        }
    }

    private sealed class ImportValidator : AbstractValidator<ImportHeader>
    {
        public ImportValidator()
        {
            Name(RuleFor(header => header.List));
            Reason(RuleFor(header => header.Reason));
        }
    }

    private sealed class ExportValidator : AbstractValidator<ExportEntriesRequest>
    {
        public ExportValidator() => Name(RuleFor(request => request.List));
    }
}
