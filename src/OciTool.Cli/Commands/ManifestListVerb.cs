using System.CommandLine;
using OciTool.Images;
using OciTool.Storage;

namespace OciTool.Cli.Commands;

/// <summary>A verb that makes or changes a manifest list in the store.</summary>
internal abstract class ManifestListVerb : Verb
{
    /// <summary>Creates a verb.</summary>
    /// <param name="name">How it is called.</param>
    /// <param name="summary">One line for lists of verbs, without a full stop.</param>
    protected ManifestListVerb(string name, string summary)
        : base(name, summary)
    {
        OperandKind = OperandKind.Image;
        Add(List);
    }

    /// <summary>The operand that names the list.</summary>
    protected Argument<string> List { get; } = new("LIST") { Description = "The manifest list's name." };

    /// <summary>The lists of the store.</summary>
    protected ManifestLists OpenLists(out ImageStore images)
    {
        StorageRoot root = Global.OpenStore();
        images = new ImageStore(root);
        return new ManifestLists(root, images);
    }

    /// <summary>The entries that stand for an image: one for its manifest, or all of its index.</summary>
    /// <param name="images">The store.</param>
    /// <param name="name">The image's name or ID.</param>
    /// <param name="all">Whether all of an index are meant, and not only this machine's.</param>
    /// <exception cref="OciException">The store has no such image.</exception>
    protected static IReadOnlyList<Descriptor> EntriesOf(ImageStore images, string name, bool all)
    {
        StoredImage image = images.Find(name, platform: null) ?? throw new ImageNotKnownException(name)
        {
            Hint = $"pull it first: oci pull {Printable.Shorten(name)}",
        };
        if (all && MediaTypes.IsIndex(image.Root.MediaType) && images.Content.Find(image.Root) is { } index)
        {
            return ImageIndex.Parse(index).Manifests;
        }

        Platform platform = image.Config.Platform;
        return [image.ManifestDocument.Descriptor.Bare with { Platform = platform }];
    }

    /// <summary>A list's entries with others, which replace those of the same digest.</summary>
    protected static IReadOnlyList<Descriptor> With(IReadOnlyList<Descriptor> entries, IReadOnlyList<Descriptor> added) =>
        [.. entries.Where(entry => !added.Any(one => one.Digest == entry.Digest)), .. added];

    /// <summary>The entry of a list that an operand means: by its digest, or by the image that has it.</summary>
    /// <exception cref="OciException">The list has no such entry.</exception>
    protected static Descriptor EntryOf(ImageStore images, IReadOnlyList<Descriptor> entries, string list, string operand)
    {
        Digest? digest = Digest.TryParse(operand, provider: null, out Digest parsed) ? parsed : images.Find(operand, platform: null)?.ManifestDocument.Digest;
        return entries.FirstOrDefault(entry => entry.Digest == digest)
            ?? throw new OciException($"manifest list {Printable.Shorten(list)}: no instance matching '{Printable.Shorten(operand)}' found in it");
    }
}

/// <summary><c>oci manifest create LIST [IMAGE...]</c>.</summary>
internal sealed class ManifestCreateCommand : ManifestListVerb
{
    private readonly Argument<string[]> _images = new("IMAGE") { Description = "Images to begin with.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<bool> _all = new("--all") { Description = "Add all images of the lists among them" };
    private readonly Option<bool> _amend = new("--amend", "-a") { Description = "Replace a list that has the name" };

    public ManifestCreateCommand()
        : base("create", "Create a manifest list or image index")
    {
        Details = "Makes an image index in the store, with the images that are named, or empty. It prints the digest of the index, which changes with what is in it.";
        Operands = "LIST [IMAGE...]";
        Examples = ["manifest create localhost/list", "manifest create registry.example.com/app:1 app:1-amd64 app:1-arm64"];
        Add(_images);
        Add(_all);
        Add(_amend);
        SetAction(command =>
        {
            ManifestLists lists = OpenLists(out ImageStore images);
            IReadOnlyList<Descriptor> entries = [];
            foreach (string image in command.GetValue(_images) ?? [])
            {
                entries = With(entries, EntriesOf(images, image, command.GetValue(_all)));
            }

            Document list = lists.Create(ImageNameInput.ParseLocal(command.GetRequiredValue(List)), entries, command.GetValue(_amend));
            command.InvocationConfiguration.Output.Write($"{list.Digest.Hex}\n");
            return ExitCode.Success;
        });
    }
}

/// <summary><c>oci manifest add LIST IMAGE</c>.</summary>
internal sealed class ManifestAddCommand : ManifestListVerb
{
    private readonly Argument<string[]> _images = new("IMAGE") { Description = "The images, which must be in the store.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<bool> _all = new("--all") { Description = "Add all images of a list" };
    private readonly ManifestEntryFlags _entry;

    public ManifestAddCommand()
        : base("add", "Add images to a manifest list or image index")
    {
        Details = "Adds images of the store to a list. An image that is there already is replaced. What the entry says of the platform is what the image's configuration says, "
            + "or the options.";
        Operands = "LIST IMAGE [IMAGE...]";
        Examples = ["manifest add localhost/list app:1-arm64", "manifest add --arch arm --variant v7 localhost/list app:1-armhf"];
        Add(_images);
        Add(_all);
        _entry = new ManifestEntryFlags(this);
        SetAction(command =>
        {
            ManifestLists lists = OpenLists(out ImageStore images);
            List<Descriptor> added = [];
            foreach (string image in command.GetRequiredValue(_images))
            {
                added.AddRange(EntriesOf(images, image, command.GetValue(_all)).Select(entry => _entry.Apply(command, entry)));
            }

            Document list = lists.Edit(command.GetRequiredValue(List), entries => With(entries, added));
            command.InvocationConfiguration.Output.Write($"{list.Digest.Hex}\n");
            return ExitCode.Success;
        });
    }
}

/// <summary><c>oci manifest annotate LIST IMAGE</c>.</summary>
internal sealed class ManifestAnnotateCommand : ManifestListVerb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The digest of the entry, or an image that has it." };
    private readonly ManifestEntryFlags _entry;

    public ManifestAnnotateCommand()
        : base("annotate", "Add or update information about an entry in a manifest list or image index")
    {
        Details = "Changes what a list says of one of its images; the image itself stays what it is.";
        Operands = "LIST IMAGE";
        Examples = ["manifest annotate --annotation left=right localhost/list app:1-arm64", "manifest annotate --variant v8 localhost/list sha256:…"];
        Add(_image);
        _entry = new ManifestEntryFlags(this);
        SetAction(command =>
        {
            ManifestLists lists = OpenLists(out ImageStore images);
            string name = command.GetRequiredValue(List);
            Document list = lists.Edit(name, entries =>
            {
                Descriptor meant = EntryOf(images, entries, name, command.GetRequiredValue(_image));
                return [.. entries.Select(entry => entry == meant ? _entry.Apply(command, entry) : entry)];
            });
            command.InvocationConfiguration.Output.Write($"{list.Digest.Hex}\n");
            return ExitCode.Success;
        });
    }
}

/// <summary><c>oci manifest remove LIST IMAGE</c>.</summary>
internal sealed class ManifestRemoveCommand : ManifestListVerb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The digest of the entry, or an image that has it." };

    public ManifestRemoveCommand()
        : base("remove", "Remove an entry from a manifest list or image index")
    {
        Details = "Takes an image out of a list. The image stays in the store where it has a name.";
        Operands = "LIST IMAGE";
        Examples = ["manifest remove localhost/list sha256:…"];
        Add(_image);
        SetAction(command =>
        {
            ManifestLists lists = OpenLists(out ImageStore images);
            string name = command.GetRequiredValue(List);
            Document list = lists.Edit(name, entries =>
            {
                Descriptor meant = EntryOf(images, entries, name, command.GetRequiredValue(_image));
                return [.. entries.Where(entry => entry != meant)];
            });
            command.InvocationConfiguration.Output.Write($"{list.Digest.Hex}\n");
            return ExitCode.Success;
        });
    }
}

/// <summary><c>oci manifest exists LIST</c>.</summary>
internal sealed class ManifestExistsCommand : ManifestListVerb
{
    public ManifestExistsCommand()
        : base("exists", "Check if a manifest list exists in local storage")
    {
        Details = "Exits with 0 when the store has the list, and with 1 when it has not. Nothing is printed.";
        Operands = "LIST";
        Examples = ["manifest exists localhost/list"];
        SetAction(command => OpenLists(out _).Find(command.GetRequiredValue(List)) is null ? 1 : ExitCode.Success);
    }
}

/// <summary><c>oci manifest rm LIST</c>.</summary>
internal sealed class ManifestRmCommand : ManifestListVerb
{
    public ManifestRmCommand()
        : base("rm", "Remove a manifest list or image index from local storage")
    {
        Details = "Removes a list. Its images stay where they have names of their own.";
        Operands = "LIST";
        Examples = ["manifest rm localhost/list"];
        SetAction(command =>
        {
            (string name, Digest digest) = OpenLists(out _).Remove(command.GetRequiredValue(List));
            command.InvocationConfiguration.Output.Write($"Untagged: {name}\nDeleted: {digest.Hex}\n");
            return ExitCode.Success;
        });
    }
}
