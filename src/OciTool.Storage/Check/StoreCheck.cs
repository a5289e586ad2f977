using OciTool.Images;
using OciTool.Linux;

namespace OciTool.Storage.Check;

/// <summary>Compares everything in a store with what it should be, and repairs what can be repaired without a network.</summary>
/// <remarks>
/// What directories and documents tell is looked at under the shared store lock, for a moment. What takes long, hashing
/// and applying layers again, happens without it: what somebody replaces or removes meanwhile is no finding. What
/// others are about to finish is none either: content that no name reaches is one only when it is old. Without
/// <see cref="StoreCheckOptions.Repair"/> nothing of the store is changed.
/// </remarks>
/// <param name="root">The store.</param>
/// <param name="images">Its images.</param>
/// <param name="containers">Its containers.</param>
/// <param name="options">What to look at, and what to do.</param>
/// <param name="time">The clock, for the age of what nobody needs.</param>
public sealed class StoreCheck(StorageRoot root, ImageStore images, ContainerStore containers, StoreCheckOptions options, TimeProvider time)
{
    private readonly NameCheck _names = new(root, images);

    /// <summary>Checks the store.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What is wrong, with what was done about it; empty for a store that is as it should be.</returns>
    /// <exception cref="OciException">The store cannot be read, or not be written when it is to be repaired.</exception>
    public IReadOnlyList<StoreFinding> Run(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(root.Path))
        {
            return [];
        }

        List<StoreFinding> findings = [];
        if (options.Repair)
        {
            root.EnsureWritable();
            StoreSweep sweep = new(root, images, containers);
            sweep.SweepDead();
            findings.AddRange(Mend(LookAtNames(out _)));
        }

        List<Damage> damages = Look(cancellationToken);
        findings.AddRange(options.Repair ? Mend(damages) : damages.Select(damage => damage.Finding));
        return findings;
    }

    private static List<StoreFinding> Mend(List<Damage> damages) =>
        [.. damages.OrderBy(damage => damage.Order).Select(damage => damage.Mend?.Invoke(damage.Finding) ?? damage.Finding)];

    private List<Damage> LookAtNames(out LayoutIndex? index)
    {
        List<Damage> damages = [];
        if (_names.LookAtLayout() is { } layout)
        {
            damages.Add(layout);
        }

        if (_names.LookAtIndex(out index) is { } names)
        {
            damages.Add(names);
        }
        else
        {
            damages.AddRange(_names.LookAtNames(index!));
        }

        return damages;
    }

    private List<Damage> Look(CancellationToken cancellationToken)
    {
        CheckContext context = new(root, images, containers, options, time.GetUtcNow(), cancellationToken);
        List<Damage> damages;
        BlobCheck blobs;
        LayerCheck layers;
        using (context.Lock(shared: true))
        {
            damages = LookAtNames(out LayoutIndex? index);
            context = context with
            {
                Leased = Lease.Peek(root),
                Reached = index is null ? null : ReachedContent.From(index, images.Content),
            };
            blobs = new BlobCheck(context);
            layers = new LayerCheck(context);
            int before = damages.Count;
            damages.AddRange(context.Reached?.Findings.Select(finding => new Damage(finding)
            {
                Mend = found => Damage.Left(found, CheckContext.PullAgain(found.Target).TrimStart(';', ' ')),
            }) ?? []);
            damages.AddRange(blobs.Look());
            damages.AddRange(layers.Look());
            if (index is not null)
            {
                damages.AddRange(_names.LookAtFacts(index, contentIsWhole: damages.Count == before && !context.Reached!.HasDamagedDocuments));
            }
        }

        damages.AddRange(new ContainerCheck(context).Look());
        damages.AddRange(blobs.Hash(documentsOnly: options.Quick));
        if (!options.Quick)
        {
            damages.AddRange(layers.Compare());
        }

        return damages;
    }
}
